//! Courses and their modules.

use bson::Bson;
use model_core::prelude::*;

use super::old::Old;

/// Modules name their course, so the course's own list says nothing more: their order is theirs too.
pub(super) fn course(mut old: Old) -> Result<Old> {
    old.new_id();
    old.keep(&["title", "description", "instructor", "instructorBio"]);
    old.rename("thumbnailUrl", "thumbnail");
    old.choice("tier", "tier", "free")?;
    let published = old.flag("published")?;
    old.put("published", published);
    old.put_whole("order", "order")?;
    old.default("order", 0);
    old.drop(&["modules"]);
    Ok(old)
}

pub(super) fn module(mut old: Old) -> Result<Old> {
    old.new_id();
    old.keep(&[
        "courseId",
        "title",
        "description",
        "videoUrl",
        "thumbnail",
        "transcript",
        "transcriptUrl",
    ]);
    if let Some(provider) = old.text("videoProvider")? {
        old.put("videoProvider", provider.to_lowercase());
    }
    old.put_whole("duration", "duration")?;
    old.put_whole("order", "order")?;
    old.default("order", 0);
    let published = old.flag("published")?;
    old.put("published", published);
    let mut recording = old.part("videoMetadata")?;
    recording.keep(&["recordingDate", "isEvergreen", "storage"]);
    recording.drop(&["isRecording"]);
    recording.put_some("streamRecordingId", old.text("streamRecordingId")?);
    let recording = recording.into_part_if_any()?;
    old.put_some("recordingMetadata", recording);
    let below = match old.take("subModules") {
        Some(Bson::Array(below)) => below,
        _ => Vec::new(),
    };
    let ids = below.into_iter().map(|id| match id {
        Bson::ObjectId(id) => Bson::String(id.to_hex()),
        other => other,
    });
    old.put("legacySubModules", ids.collect::<Vec<_>>());
    Ok(old)
}
