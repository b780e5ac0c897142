#![cfg_attr(fuzzing, no_main)]

consign_fuzz::target!(csv_arrow);
