//! Faults between a client and a server, in process: requests are counted, and some of them go wrong.
