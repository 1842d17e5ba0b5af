//! Emitted types are as visible as the struct, their members as the fields.

mod inner {
    use model_core::prelude::*;

    /// A model that only this crate sees.
    #[derive(Clone, Model)]
    #[model(collection = "inner", global)]
    pub(crate) struct Inner {
        #[model(id)]
        pub(crate) id: Id<Inner>,
        pub(crate) name: String,
        #[model(default)]
        private: Private,
        pub(in crate::visibility) shared: Option<u32>,
    }

    #[derive(Clone, Default, Embedded)]
    struct Private {
        count: u32,
    }

    crate::allow_all!(Inner);

    impl Inner {
        pub(crate) fn count(&self) -> u32 {
            self.private.count
        }
    }
}

use model_core::prelude::Set;

#[test]
fn a_patch_is_made_outside_of_the_module() {
    let mut patch = inner::InnerPatch::default();
    patch.name = Set("name".to_owned());
    patch.shared = Set(Some(1));
    assert!(!patch.name.is_keep() && !patch.shared.is_keep());
    let _: fn(&inner::Inner) -> u32 = inner::Inner::count;
}
