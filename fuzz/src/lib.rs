//! The fuzz targets: a module for each, with a `run` that takes the fuzzer's bytes and panics where a law is broken.
//!
//! Under `cargo fuzz` (nightly) the programs in `fuzz_targets/` are libFuzzer's; built plainly, on stable, the same
//! programs replay the files that they are given, so a crash or the corpus is a test that needs no fuzzer.

pub mod csv_arrow;
pub mod csv_round_trip;
pub mod csv_spark;
pub mod location;
pub mod replay;
pub mod template;

/// Makes a program of the module that bears the target's name.
#[macro_export]
macro_rules! target {
    ($name:ident) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $crate::$name::run(data));

        #[cfg(not(fuzzing))]
        fn main() -> std::process::ExitCode {
            $crate::replay::main(stringify!($name), $crate::$name::run)
        }
    };
}
