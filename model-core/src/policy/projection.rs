//! What `#[derive(Projection)]` makes known about a struct that holds some of a model's fields.

use serde::Serialize;

use super::base_model::{BaseModel, hidden_fields};
use super::scope::ContextFor;
use crate::codec::{DecodeError, DocReader, HiddenFields};
use crate::schema::FieldSchema;

/// Some of a model's fields. It is implemented by `#[derive(Projection)]`, and cannot be saved.
///
/// ```
/// # model_core::__example!();
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// # let ctx = example().await?;
/// #[derive(Projection)]
/// #[projection(of = Note)]
/// struct NoteLine {
///     id: Id<Note>,
///     text: String,
/// }
///
/// Note::create(&ctx, note("Buy milk")).await?;
/// let lines = Note::query(&ctx).sort(|n| n.text.asc()).select::<NoteLine>().await?;
/// assert_eq!(lines[0].text, "Buy milk");
/// # Ok(())
/// # }
/// ```
///
/// A field that the model does not have, or has by another type, does not compile:
///
/// ```compile_fail,E0308
/// # model_core::__example!();
/// # fn main() {}
/// #[derive(Projection)]
/// #[projection(of = Note)]
/// struct NoteLine {
///     text: i64,
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no projection",
    note = "put `#[derive(Projection)]` and `#[projection(of = ...)]` on the struct"
)]
pub trait Projection: Sized + Send + Sync + 'static {
    /// The model whose fields it holds.
    type Model: BaseModel;
    /// The redacted view.
    type View: Serialize + Send + 'static;

    #[doc(hidden)]
    fn fields() -> &'static [&'static FieldSchema];
    #[doc(hidden)]
    fn decode(document: &mut DocReader<'_, '_>) -> Result<Self, DecodeError>;
    #[doc(hidden)]
    fn view(self, hidden: HiddenFields) -> Self::View;

    /// What may be shown of it: what the model's own view would show of these fields.
    fn into_view(self, ctx: &ContextFor<Self::Model>) -> Self::View {
        self.view(hidden_fields::<Self::Model>(ctx))
    }
}
