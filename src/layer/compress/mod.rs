//! Compression of a file: gzip, or none.
