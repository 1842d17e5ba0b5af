//! The corners; the randomised comparison with a server is in the `tests` package.
