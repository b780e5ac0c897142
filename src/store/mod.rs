//! The object store: part sizes, uploads that stay invisible until they are completed, kinds of failure.
