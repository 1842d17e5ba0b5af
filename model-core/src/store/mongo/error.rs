//! The driver's errors as the port's. A server's message quotes stored values, so none of it leaves this file, but the
//! name of an index.

use bson::Document;
use mongodb::error::{
    CommandError, Error, ErrorKind, RETRYABLE_WRITE_ERROR, SYSTEM_OVERLOADED_ERROR,
    TRANSIENT_TRANSACTION_ERROR, WriteFailure,
};

use super::super::StoreError;

const WRITE_CONFLICT: i32 = 112;
const MAX_TIME_EXPIRED: i32 = 50;
const DUPLICATE_KEY: [i32; 3] = [11000, 11001, 12582];

/// The codes of a server that is going down, coming up, or not the primary (any more): the list of the driver's
/// specification of retryable reads.
const NO_PRIMARY: [i32; 13] = [
    6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436,
];

/// A primary that is asked again for a write knows no more whether it was done: it has its data from another since.
const INCOMPLETE_HISTORY: i32 = 217;

/// Names of the codes that writes are refused with: the server leaves them out there.
const WRITE_ERRORS: [(i32, &str); 9] = [
    (2, "BadValue"),
    (9, "FailedToParse"),
    (13, "Unauthorized"),
    (14, "TypeMismatch"),
    (28, "PathNotViable"),
    (40, "ConflictingUpdateOperators"),
    (66, "ImmutableField"),
    (121, "DocumentValidationFailure"),
    (10334, "BSONObjectTooLarge"),
];

/// A stage that the server does not know, or for which it has not been set up.
const NO_VECTOR_INDEXES: [i32; 3] = [31082, 40324, 6_047_401];

/// A failure of a search in an index over vectors.
pub(super) fn is_without_vector_indexes(error: &StoreError) -> bool {
    matches!(error, StoreError::Refused { code, .. } if NO_VECTOR_INDEXES.contains(code))
}

/// What the engine is told about a failure.
pub(super) fn store_error(error: &Error) -> StoreError {
    if error.contains_label(TRANSIENT_TRANSACTION_ERROR) {
        return StoreError::Transient;
    }
    match &*error.kind {
        ErrorKind::Command(command) => coded(
            command.code,
            &command.code_name,
            &command.message,
            Labels::of(error),
        ),
        ErrorKind::Write(WriteFailure::WriteError(write)) => coded(
            write.code,
            write.code_name.as_deref().unwrap_or_default(),
            &write.message,
            Labels::of(error),
        ),
        ErrorKind::Write(WriteFailure::WriteConcernError(concern)) => {
            // The primary has it, and the copies that the write concern asks for were not confirmed.
            let name = if concern.code_name.is_empty() {
                "WriteConcernFailed"
            } else {
                &concern.code_name
            };
            coded(concern.code, name, "", Labels::of(error))
        }
        ErrorKind::ServerSelection { .. } => unavailable("a suitable server"),
        ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. } => unavailable("the server"),
        ErrorKind::DnsResolve { .. } => unavailable("the name service"),
        ErrorKind::Transaction { .. } | ErrorKind::SessionsNotSupported => StoreError::Unsupported {
            what: "this deployment has no transactions: they need a replica set",
        },
        ErrorKind::IncompatibleServer { .. } => StoreError::Unsupported {
            what: "the server's version is too old for the driver",
        },
        ErrorKind::Authentication { .. } => refused(18, "AuthenticationFailed"),
        ErrorKind::InvalidTlsConfig { .. } => refused(0, "InvalidTlsConfig"),
        ErrorKind::InvalidArgument { .. } => refused(0, "InvalidArgument"),
        ErrorKind::InvalidResponse { .. } | ErrorKind::Bson(_) => refused(0, "MalformedReply"),
        ErrorKind::Shutdown => refused(0, "ClientShutDown"),
        _ => refused(0, "DriverError"),
    }
}

/// As [`store_error`], for a write of `many` documents at once.
pub(super) fn write_error(error: &Error, many: usize) -> StoreError {
    let first = match &*error.kind {
        ErrorKind::InsertMany(failures) if !error.contains_label(TRANSIENT_TRANSACTION_ERROR) => {
            failures.write_errors.as_deref().and_then(<[_]>::first)
        }
        _ => None,
    };
    match first {
        Some(failure) => {
            let name = failure.code_name.as_deref().unwrap_or_default();
            coded(failure.code, name, &failure.message, Labels::of(error)).of_statement(failure.index, many)
        }
        None => store_error(error),
    }
}

/// The failure of one statement, as the server's reply describes it.
pub(super) fn statement_error(failure: &Document) -> StoreError {
    let code = failure.get_i32("code").unwrap_or_default();
    let name = failure.get_str("codeName").unwrap_or_default();
    let message = failure.get_str("errmsg").unwrap_or_default();
    coded(code, name, message, Labels::default())
}

/// Labels that say of an error without a known code that it may pass.
#[derive(Clone, Copy, Default)]
struct Labels {
    retryable: bool,
    overloaded: bool,
}

impl Labels {
    fn of(error: &Error) -> Self {
        Self {
            retryable: error.contains_label(RETRYABLE_WRITE_ERROR),
            overloaded: error.contains_label(SYSTEM_OVERLOADED_ERROR),
        }
    }
}

/// Whether a read may succeed when sent again, by the driver's specification of retryable reads.
pub(super) fn is_read_retryable(error: &Error) -> bool {
    match &*error.kind {
        ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. } => true,
        ErrorKind::Command(CommandError { code, .. }) => NO_PRIMARY.contains(code),
        _ => false,
    }
}

fn coded(code: i32, name: &str, message: &str, labels: Labels) -> StoreError {
    match code {
        WRITE_CONFLICT => StoreError::Transient,
        MAX_TIME_EXPIRED => unavailable("the server within its time limit"),
        code if DUPLICATE_KEY.contains(&code) => StoreError::Duplicate {
            index: index_name(message),
        },
        code if NO_PRIMARY.contains(&code) => unavailable("a primary"),
        INCOMPLETE_HISTORY => unavailable("a primary that knows of the write"),
        _ if labels.retryable => unavailable("a primary"),
        _ if labels.overloaded => unavailable("an overloaded server"),
        code if name.is_empty() => {
            let known = WRITE_ERRORS.iter().find(|(known, _)| *known == code);
            refused(code, known.map_or("WriteError", |(_, name)| name))
        }
        code => refused(code, name),
    }
}

/// The name of the index in `E11000 duplicate key error collection: db.c index: NAME dup key: { ... }`; what follows it
/// are the stored values.
fn index_name(message: &str) -> String {
    let after = message.split_once(" index: ").map_or("", |(_, after)| after);
    let name = after.split_once(" dup key").map_or("", |(name, _)| name);
    name.split_once(" collation")
        .map_or(name, |(name, _)| name)
        .to_owned()
}

fn unavailable(what: &'static str) -> StoreError {
    StoreError::Unavailable { what }
}

fn refused(code: i32, name: &str) -> StoreError {
    StoreError::Refused {
        code,
        name: name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::StoreError;
    use super::{INCOMPLETE_HISTORY, Labels, coded, index_name};

    /// Nothing was refused: the write may stand.
    #[test]
    fn a_write_with_a_lost_history_may_have_taken_effect() {
        let error = coded(
            INCOMPLETE_HISTORY,
            "IncompleteTransactionHistory",
            "",
            Labels::default(),
        );
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    }

    #[test]
    fn only_the_index_name_leaves() {
        let plain = "E11000 duplicate key error collection: shop.widgets index: email_1_unique dup key: { email: \"a index: b dup key\" }";
        assert_eq!(index_name(plain), "email_1_unique");
        let collated = "E11000 duplicate key error collection: d.c index: n collation: { locale: \"en\" } dup key: { n: 1 }";
        assert_eq!(index_name(collated), "n");
        assert_eq!(index_name("E11000 duplicate key error: secret"), "");
    }
}
