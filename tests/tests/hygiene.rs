//! What the derives emit does not depend on, and does not disturb, what is around it.

#![forbid(unsafe_code)]
#![deny(
    missing_docs,
    missing_debug_implementations,
    unnameable_types,
    unreachable_pub,
    unused,
    unused_qualifications,
    warnings
)]
#![deny(
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

#[path = "hygiene/names.rs"]
pub mod names;
#[path = "hygiene/places.rs"]
pub mod places;
#[path = "hygiene/renamed.rs"]
pub mod renamed;
#[path = "hygiene/visibility.rs"]
pub mod visibility;

/// The actor of every model here.
#[derive(Debug)]
pub struct User;

impl model_core::Actor for User {
    fn identity(&self) -> model_core::audit::ActorIdentity {
        model_core::audit::ActorIdentity::user("u1")
    }
}

/// A policy for a model: everything is allowed.
#[macro_export]
macro_rules! allow_all {
    ($($model:ty),*) => {$(
        impl ::model_core::BaseModel for $model {
            type Actor = $crate::User;

            fn can_read(&self, _: &::model_core::ContextFor<Self>) -> bool {
                true
            }

            fn can_create(&self, _: &::model_core::ContextFor<Self>) -> bool {
                true
            }

            fn can_update(&self, _: &::model_core::ContextFor<Self>, _: &Self) -> bool {
                true
            }

            fn can_delete(&self, _: &::model_core::ContextFor<Self>) -> bool {
                true
            }
        }
    )*};
}
