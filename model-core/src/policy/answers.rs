//! The four answers of a model in one statement.

/// Answers the four questions of [`BaseModel`](crate::BaseModel) by methods of the actor, in an `impl` that may hold hooks beside it.
///
/// Each of the four is written down, in this order, and has an answer, or that of the next one: a method of the actor, with the
/// fields of the document that it is told, by reference; or `true` or `false`. An update is asked about the document as it is,
/// and as it is to become, where the answer depends on fields. What no method of the actor can answer is written as the methods
/// of the trait.
///
/// With `scope`, a method of the actor makes the filter that reads have on the server, of the handles of fields
/// ([`read_scope`](crate::BaseModel::read_scope)); with `exact_scope` that filter alone decides
/// ([`ReadScope::Exact`](crate::ReadScope::Exact)).
///
/// ```
/// use model_core::prelude::*;
/// use model_core::query::Field;
///
/// #[derive(Clone)]
/// struct Person {
///     name: String,
///     admin: bool,
/// }
///
/// impl Actor for Person {
///     fn identity(&self) -> ActorIdentity {
///         ActorIdentity::user(&self.name)
///     }
/// }
///
/// impl Person {
///     fn is_admin(&self) -> bool {
///         self.admin
///     }
///
///     fn owns(&self, owner: &str) -> bool {
///         self.admin || self.name == owner
///     }
///
///     fn own<M: Model>(&self, owner: &Field<M, String>) -> Filter<M> {
///         if self.admin { Filter::all() } else { owner.eq(&self.name) }
///     }
/// }
///
/// #[derive(Clone, Model)]
/// #[model(collection = "diaries")]
/// struct Diary {
///     id: Id<Diary>,
///     tenant: TenantId,
///     owner: String,
///     text: String,
/// }
///
/// impl BaseModel for Diary {
///     policy!(Person, read, create, update: owns(owner), delete: is_admin, exact_scope: own(owner));
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let db = Db::memory().model::<Diary>().build().await?;
/// let ann = db.context(TenantId::new("acme")?, Person { name: "ann".into(), admin: false });
/// let new = |owner: &str| NewDiary { owner: owner.into(), text: "Dear diary".into() };
/// let own = Diary::create(&ann, new("ann")).await?;
/// assert!(Diary::create(&ann, new("bob")).await.unwrap_err().is_forbidden());
/// assert!(Diary::delete(&ann, &own.id).await.unwrap_err().is_forbidden());
/// // Nor is it given away.
/// let given = DiaryPatch { owner: Set("bob".into()), ..Default::default() };
/// assert!(Diary::update(&ann, &own.id, given).await.unwrap_err().is_forbidden());
/// # Ok(())
/// # }
/// ```
#[macro_export]
macro_rules! policy {
    (@ask $document:ident $ctx:ident [] $($next:tt)+) => {
        $crate::policy!(@ask $document $ctx $($next)+)
    };
    (@ask $document:ident $ctx:ident [true] $($next:tt)*) => {{
        let _ = ($document, $ctx);
        true
    }};
    (@ask $document:ident $ctx:ident [false] $($next:tt)*) => {{
        let _ = ($document, $ctx);
        false
    }};
    (@ask $document:ident $ctx:ident [$answer:ident $(($($field:ident),+))?] $($next:tt)*) => {
        $ctx.actor().$answer($($(&$document.$field),+)?)
    };
    (@both $before:ident $after:ident $ctx:ident [] $($next:tt)+) => {
        $crate::policy!(@both $before $after $ctx $($next)+)
    };
    (@both $before:ident $after:ident $ctx:ident [$answer:ident] $($next:tt)*) => {{
        let _ = $after;
        $crate::policy!(@ask $before $ctx [$answer])
    }};
    (@both $before:ident $after:ident $ctx:ident $answer:tt $($next:tt)*) => {
        $crate::policy!(@ask $before $ctx $answer) && $crate::policy!(@ask $after $ctx $answer)
    };
    (@scope $scope:ident ($($field:ident),+)) => {
        fn read_scope(ctx: &$crate::ContextFor<Self>) -> $crate::Filter<Self> {
            <Self as $crate::ModelExt>::filter(|handles| ctx.actor().$scope($(&handles.$field),+))
        }
    };
    (
        $actor:ty,
        read $(: $read:ident $(($($r:ident),+))?)?,
        create $(: $create:ident $(($($c:ident),+))?)?,
        update $(: $update:ident $(($($u:ident),+))?)?,
        delete: $delete:ident $(($($d:ident),+))?
        $(, scope: $scope:ident $scoped:tt)?
        $(, exact_scope: $exact:ident $exactly:tt)?
        $(,)?
    ) => {
        type Actor = $actor;

        fn can_read(&self, ctx: &$crate::ContextFor<Self>) -> bool {
            $crate::policy!(
                @ask self ctx
                [$($read $(($($r),+))?)?] [$($create $(($($c),+))?)?] [$($update $(($($u),+))?)?] [$delete $(($($d),+))?]
            )
        }

        fn can_create(&self, ctx: &$crate::ContextFor<Self>) -> bool {
            $crate::policy!(
                @ask self ctx [$($create $(($($c),+))?)?] [$($update $(($($u),+))?)?] [$delete $(($($d),+))?]
            )
        }

        fn can_update(&self, ctx: &$crate::ContextFor<Self>, after: &Self) -> bool {
            $crate::policy!(@both self after ctx [$($update $(($($u),+))?)?] [$delete $(($($d),+))?])
        }

        fn can_delete(&self, ctx: &$crate::ContextFor<Self>) -> bool {
            $crate::policy!(@ask self ctx [$delete $(($($d),+))?])
        }

        $($crate::policy!(@scope $scope $scoped);)?
        $(
            const READ_SCOPE: $crate::ReadScope = $crate::ReadScope::Exact;

            $crate::policy!(@scope $exact $exactly);
        )?
    };
    ($($other:tt)*) => {
        ::core::compile_error!(
            "a policy names the actor and answers the four questions, in this order: \
             `policy!(Actor, read: method, create, update: method(field), delete: false)`"
        );
    };
}
