//! The laws of record batches, for any dialect, types and values.

use proptest::collection::vec;
use proptest::prelude::*;

use super::same;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_batch_is_its_cells(data in vec(any::<u8>(), 0..500)) {
        same::check(&data);
    }
}
