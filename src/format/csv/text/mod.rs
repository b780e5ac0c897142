//! Typed values to text: integers, floats, decimals, binary.

pub(crate) mod digits;
