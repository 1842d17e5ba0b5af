//! The crate under another path: `#[model(crate = ..)]`.

/// Where this service re-exports what it uses.
pub mod vendored {
    pub use model_core as odm;
}

/// A model that finds the crate there.
#[derive(Clone, vendored::odm::Model)]
#[model(collection = "renamed", global, crate = crate::renamed::vendored::odm)]
pub struct Renamed {
    /// The id.
    #[model(id)]
    pub id: vendored::odm::Id<Renamed>,
    /// An embedded type.
    pub size: Size,
    /// An embedded type.
    pub label: Label,
    /// An embedded type.
    pub state: State,
    /// An embedded type.
    pub event: Event,
}

/// Some of its fields.
#[derive(vendored::odm::Projection)]
#[projection(of = Renamed, crate = crate::renamed::vendored::odm)]
pub struct RenamedPart {
    /// A field.
    pub size: Size,
}

/// An embedded struct.
#[derive(Clone, vendored::odm::Embedded)]
#[model(crate = crate::renamed::vendored::odm)]
pub struct Size {
    /// How wide.
    pub width: u32,
}

/// A newtype.
#[derive(Clone, vendored::odm::Embedded)]
#[model(crate = crate::renamed::vendored::odm)]
pub struct Label(String);

/// An enum.
#[derive(Clone, vendored::odm::Embedded)]
#[model(crate = crate::renamed::vendored::odm)]
pub enum State {
    /// A variant.
    On,
}

/// An enum with data.
#[derive(Clone, vendored::odm::Embedded)]
#[model(crate = ::model_core)]
pub enum Event {
    /// A variant.
    Happened {
        /// When.
        times: u32,
    },
}

crate::allow_all!(Renamed);
