//! What models are given to.

use super::actor::Actor;
use super::base_model::BaseModel;

/// Takes models in: the builder of a handle, the administration command. So the list of a service's models is written once, as
/// a function over either, and neither lacks one.
///
/// ```
/// # model_core::__example!();
/// use model_core::Registry;
///
/// fn register<R: Registry<User>>(registry: R) -> R {
///     registry.model::<Note>()
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// # use model_core::crypto::{Keyring, LocalKek};
/// # let key = LocalKek::parse("243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89")?;
/// # let keyring = Keyring::builder().realm("dev").wrapper(key).build()?;
/// let db = register(Db::memory().keys(keyring)).build_lazy()?;
/// assert_eq!(db.models().len(), 1);
/// # #[cfg(feature = "admin")]
/// let admin = register(model_core::admin::Admin::new(db, User { name: "ops", admin: true }));
/// # Ok(())
/// # }
/// ```
pub trait Registry<A: Actor>: Sized {
    /// Takes one model in.
    #[must_use]
    fn model<M: BaseModel<Actor = A>>(self) -> Self;
}
