//! The corners of the embedded store.
