//! One integration binary: a file per command, and the checks of the house.
