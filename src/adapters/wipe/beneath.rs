//! What the device helper shares with the wipe: maps of files, memory for direct reading, and the trim.

pub(in crate::adapters) use super::{
    ground::filesystem_of,
    pass::{Buffer, PIECE},
    system::{extents as places, flags, is_realtime, trim},
};
