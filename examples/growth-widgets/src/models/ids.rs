//! The guide's table of id prefixes: the entity, its collection, its prefix.

use model_core::DbBuilder;
use model_core::prelude::*;

use crate::req_context::Member;

macro_rules! entities {
    ($($model:ident $collection:tt $prefix:tt;)*) => {
        $(
            #[doc = concat!("Its ids begin with `", $prefix, "`.")]
            #[derive(Clone, Model)]
            #[model(collection = $collection, id_prefix = $prefix, rename_all = "camelCase", audit)]
            pub struct $model {
                pub id: Id<$model>,
                pub organization: TenantId,
                #[model(trim, len(1..))]
                pub name: String,
                #[model(created_at)]
                pub date_created: DateTime<Utc>,
                #[model(updated_at)]
                pub date_updated: DateTime<Utc>,
            }

            impl BaseModel for $model {
                policy!(Member, read: true, create, update, delete: is_admin);
            }
        )*

        pub(crate) fn register(builder: DbBuilder) -> DbBuilder {
            builder$(.model::<$model>())*
        }

        /// Each entity's name and a fresh id of it.
        pub fn examples() -> Vec<(&'static str, String)> {
            vec![$((stringify!($model), Id::<$model>::generate().to_string())),*]
        }
    };
}

entities! {
    Project "projects" "prj_";
    Experiment "experiments" "exp_";
    Feature "features" "feat_";
    SavedGroup "savedgroups" "grp_";
    Segment "segments" "seg_";
    Metric "metrics" "met_";
    Webhook "webhooks" "wh_";
    ApiKey "apikeys" "key_";
    CustomField "customfields" "cfd_";
    SafeRollout "saferollouts" "sr_";
    Holdout "holdouts" "hld_";
    FactTable "facttables" "fact__";
    UrlRedirect "urlredirects" "url_";
}
