//! How large the parts of an upload are.

/// The sizes of the parts of a file whose length is not known beforehand: small at first, so that little memory is
/// held, and growing, so that a long file does not run out of parts.
///
/// Parts are 8 MiB up to the 500th and grow by a quarter every 500 parts. Amazon S3 takes parts of 5 MiB to 5 GiB and
/// at most 10,000 of them (user guide, multipart upload limits); a file may so have 1.3 TiB, where parts of one size
/// of 8 MiB would end at 78 GiB.
///
/// ```
/// use consign::store::PartSchedule;
///
/// let schedule = PartSchedule::default();
/// assert_eq!(schedule.size(1), Some(8 * 1024 * 1024));
/// assert_eq!(schedule.size(501), Some(10 * 1024 * 1024));
/// assert_eq!(schedule.size(10_000).map(|size| size / (1024 * 1024)), Some(555));
/// assert_eq!(schedule.size(10_001), None);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct PartSchedule(());

/// Above the least of S3 (5 MiB) and large enough that a request's overhead is small beside it.
const FIRST: usize = 8 * 1024 * 1024;
/// How many parts have one size.
const STEP: u32 = 500;
/// The most parts of S3 and Google Cloud Storage; Azure takes 50,000.
const MOST: u32 = 10_000;

impl PartSchedule {
    /// The size of the part with this number, from 1, in bytes; `None` above the most parts that stores take. The last
    /// part of a file may be smaller.
    ///
    /// # Panics
    ///
    /// For the number 0, which no part has.
    #[must_use]
    pub fn size(self, number: u32) -> Option<usize> {
        assert!(number > 0, "parts are numbered from 1");
        let steps = (number - 1) / STEP;
        (number <= MOST).then(|| (0..steps).fold(FIRST, |size, _| size + size / 4))
    }
}
