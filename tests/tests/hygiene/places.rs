//! Declarations inside a function's body and inside `macro_rules!`.

use model_core::prelude::*;

macro_rules! declare {
    ($name:ident, $collection:literal, $field:ident: $ty:ty = $default:expr, $rule:literal) => {
        /// Declared by a macro.
        #[derive(Clone, Model)]
        #[model(collection = $collection, global, crate = $crate::places::odm, index($field))]
        pub struct $name {
            /// The id.
            #[model(id)]
            pub id: Id<$name>,
            /// The macro's field.
            #[model(default = $default, one_of($rule))]
            pub $field: $ty,
            /// An optional field, spelled by the caller.
            pub maybe: Option<$ty>,
        }

        $crate::allow_all!($name);
    };
}

/// Where the macro's user may not have imported anything.
pub mod odm {
    pub use model_core::*;
}

declare!(Declared, "declared", label: String = "new", "new");

#[test]
fn in_a_function() {
    /// Declared in a function.
    #[derive(Clone, Model)]
    #[model(collection = "local", global)]
    struct Local {
        #[model(id)]
        id: Id<Local>,
        parts: Parts,
    }

    #[derive(Clone, Embedded)]
    struct Parts {
        name: String,
    }

    crate::allow_all!(Local);

    let new = NewLocal {
        parts: Parts {
            name: "part".to_owned(),
        },
    };
    assert_eq!(format!("{new:?}"), "NewLocal { parts: .. }");
    assert_eq!(Local::schema().collection, "local");
}

#[test]
fn by_a_macro() {
    let new = NewDeclared {
        optional: NewDeclaredOptional {
            label: Some("new".to_owned()),
            ..Default::default()
        },
    };
    assert!(new.optional.maybe.is_none());
}
