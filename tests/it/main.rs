//! The tests at the public boundary: one binary, one file for each room.
