//! Formats: what turns rows into the plain bytes of one file.

pub mod csv;
