use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "users", global)]
struct User {
    #[model(id)]
    id: Id<User>,
    token: Encrypted<String>,
    password: PasswordHash,
}

fn compare(user: User, other: User, secret: Secret<String>) {
    println!("{user}");
    let _ = secret == secret;
    let _ = user.token == other.token;
    let _ = user.password == other.password;
    let _ = serde_json::to_value(&user.password);
    let _: String = user.token;
}

fn main() {}
