//! What is owed, part by part.

#[cfg_attr(not(test), expect(dead_code, reason = "the list of duties reads it"))]
pub(in crate::service) mod samples;
