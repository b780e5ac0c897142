//! One run of a destination: rows in, files out, all or nothing.
