//! CSV: the dialect (a plan), its encoder (the state for one file), hazards and presets.
