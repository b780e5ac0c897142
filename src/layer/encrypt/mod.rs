//! Encryption of a file to the OpenPGP keys of its recipients.
