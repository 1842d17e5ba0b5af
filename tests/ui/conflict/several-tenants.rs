use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "loans")]
struct Loan {
    id: Id<Loan>,
    lender: TenantId,
    borrower: TenantId,
}

fn main() {}
