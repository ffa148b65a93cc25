//! Circuits, each written once over the builder.

pub mod builder;
