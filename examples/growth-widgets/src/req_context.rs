//! The context of a request: the member of an organization, its permissions, and the services that hooks reach.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use model_core::prelude::*;
use model_core::query::Field;

use crate::models::Project;

/// `ReqContext`: an organization and the member who acts for it.
pub type ReqContext = Context<Member>;

/// A member of an organization.
#[derive(Clone)]
pub struct Member {
    pub name: String,
    pub permissions: Permissions,
}

impl Actor for Member {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user(&self.name)
    }

    fn can_read_audit_log(&self) -> bool {
        self.permissions.admin
    }
}

/// What a member may do: loaded once for a request, asked by the models.
#[derive(Clone, Default)]
pub struct Permissions {
    pub admin: bool,
    /// Projects that the member sees, and those where the member works.
    pub reads: Vec<Id<Project>>,
    pub edits: Vec<Id<Project>>,
}

impl Member {
    pub fn is_admin(&self) -> bool {
        self.permissions.admin
    }

    pub fn can_read_single_project_resource(&self, project: &Id<Project>) -> bool {
        self.permissions.reads.contains(project) || self.can_edit(project)
    }

    pub fn can_edit(&self, project: &Id<Project>) -> bool {
        self.is_admin() || self.permissions.edits.contains(project)
    }

    /// What is in no project is everybody's to read, and an administrator's to change.
    pub fn can_read_any(&self, project: &Option<Id<Project>>) -> bool {
        let sees = |project| self.can_read_single_project_resource(project);
        project.as_ref().is_none_or(sees)
    }

    pub fn can_edit_any(&self, project: &Option<Id<Project>>) -> bool {
        let edits = |project| self.can_edit(project);
        project.as_ref().map_or_else(|| self.is_admin(), edits)
    }

    /// What a query may find: `canReadSingleProjectResource`, on the server.
    pub fn visible<M: Model>(&self, project: &Field<M, Id<Project>>) -> Filter<M> {
        if self.is_admin() {
            return Filter::all();
        }
        project.in_(self.permissions.reads.iter().chain(&self.permissions.edits))
    }
}

/// `context.logger`
#[derive(Clone, Default)]
pub struct Logger(Arc<Mutex<Vec<String>>>);

impl Logger {
    pub fn info(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    /// What was logged since the last call.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// `invalidateSDKCache(context)`, counted.
#[derive(Clone, Default)]
pub struct SdkCache(Arc<AtomicU32>);

impl SdkCache {
    pub fn invalidate(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub fn invalidations(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// `notifyExternalService(doc)`
#[derive(Clone, Default)]
pub struct Notifier(Arc<Mutex<Vec<String>>>);

impl Notifier {
    pub fn tell(&self, what: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
