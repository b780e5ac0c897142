//! Where files go: bucket names, folder paths and object keys, as types that only their parsers can build.
