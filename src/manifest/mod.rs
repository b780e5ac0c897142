//! What was delivered: the JSON object that is written last.
