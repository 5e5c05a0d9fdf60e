//! What a kind of certificate looks like.
