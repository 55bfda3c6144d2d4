//! What people owe, part by part.

pub(in crate::service) mod people;
