//! Another client of the same collections: Mongoose, where there is Node.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

use serde_json::Value;

/// Lets Mongoose validate and save what is stored in a database, and write documents of its own, with the schemas of
/// `app`'s `mongoose/models.js`; what it saw, by model. None without Node. Mongoose is installed into the build folder.
///
/// # Errors
/// Mongoose cannot be installed, or does not agree: its message.
pub fn mongoose(app: &str, uri: &str, database: &str) -> io::Result<Option<Value>> {
    if Command::new("node").arg("--version").output().is_err() {
        eprintln!("there is no Node here: not run");
        return Ok(None);
    }
    let folder = installed()?;
    let models = folder.join(format!(
        "{}.js",
        Path::new(app).file_name().unwrap_or_default().display()
    ));
    fs::copy(Path::new(app).join("mongoose/models.js"), &models)?;
    let mut node = Command::new("node");
    node.arg("agree.js")
        .arg(&models)
        .args([uri, database])
        .current_dir(&folder);
    let output = node.output()?;
    if !output.status.success() {
        return Err(io::Error::other(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ));
    }
    Ok(Some(serde_json::from_slice(&output.stdout)?))
}

/// The folder with Mongoose and the script.
fn installed() -> io::Result<PathBuf> {
    let program = env::current_exe()?;
    let build = program
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").is_file());
    let build = build.map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"),
        Path::to_owned,
    );
    let folder = build.join("mongoose");
    fs::create_dir_all(&folder)?;
    let lock = fs::File::create(folder.join("lock"))?;
    lock.lock()?;
    for file in ["package.json", "agree.js"] {
        fs::copy(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("mongoose").join(file),
            folder.join(file),
        )?;
    }
    if !folder.join("node_modules/mongoose").is_dir() {
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--silent"])
            .current_dir(&folder);
        if !npm.status()?.success() {
            return Err(io::Error::other("npm does not install Mongoose"));
        }
    }
    Ok(folder)
}
