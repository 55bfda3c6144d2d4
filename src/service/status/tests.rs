//! The page over views made by hand.
