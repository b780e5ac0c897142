//! Texts with `%MACROS%`: parsed once, checked against a context, expanded for each file.
