//! The validated plan of a delivery, and the JSON of the platform that it is read from.

pub mod schedule;
