//! Conversations and their messages, agents, files.

use bson::Bson;
use model_core::prelude::*;

use super::old::Old;

/// What the old service wrote as the parent of a first message.
const NO_PARENT: &str = "00000000-0000-0000-0000-000000000000";

/// `conversationId` was a UUID already: it becomes the id.
pub(super) fn conversation(mut old: Old) -> Result<Old> {
    old.uuid("conversationId", "_id")?;
    old.rename("user", "userId");
    old.keep(&["title", "model"]);
    old.choice("endpoint", "provider", "openai")?;
    let agent = old.text("agentId")?.or(old.text("assistant_id")?);
    old.put_some("agentId", agent);
    let mut settings = Old::new(bson::Document::new());
    for (from, to) in [
        ("temperature", "temperature"),
        ("top_p", "topP"),
        ("presence_penalty", "presencePenalty"),
        ("frequency_penalty", "frequencyPenalty"),
    ] {
        settings.put_some(to, old.number(from)?);
    }
    settings.put_some("promptPrefix", old.text("promptPrefix")?);
    old.put("parameters", settings.into_part()?);
    old.put("archived", false);
    // How the model was called on the screen: that is the client's business now.
    old.drop(&["chatGptLabel", "modelLabel"]);
    Ok(old)
}

/// `messageId` was a UUID already. Answers name what they answer, so `children` says nothing more.
pub(super) fn message(mut old: Old) -> Result<Old> {
    old.uuid("messageId", "_id")?;
    old.uuid("conversationId", "conversationId")?;
    old.rename("user", "userId");
    old.uuid_unless("parentMessageId", "parentId", NO_PARENT)?;
    let by_user = old.flag("isCreatedByUser")?;
    old.put("role", if by_user { "user" } else { "assistant" });
    let text = old.text("text")?.unwrap_or_default();
    let failed = old.flag("error")?;
    old.put("error", failed);
    // A message that failed said why in its text.
    old.put_some("errorMessage", failed.then(|| text.clone()));
    old.put("content", text);
    old.keep(&["model", "files"]);
    old.default("files", Vec::<Bson>::new());
    let provider = old.text("endpoint")?.map(|endpoint| endpoint.to_lowercase());
    old.put_some("provider", provider);
    let (unfinished, cancelled) = (old.flag("unfinished")?, old.flag("cancelled")?);
    let reason = old.text("finish_reason")?;
    let reason = reason.or(cancelled.then(|| "cancelled".to_owned()));
    let reason = reason.or(unfinished.then(|| "unfinished".to_owned()));
    old.put_some("finishReason", reason);
    old.drop(&["sender", "children"]);
    Ok(old)
}

/// `id` (`agent_abc123`) becomes the id.
pub(super) fn agent(mut old: Old) -> Result<Old> {
    let id = old.text("id")?;
    let id = id.ok_or_else(|| Error::refused("an agent without an `id`"))?;
    old.put("_id", id);
    old.rename("author", "createdBy");
    old.keep(&["name", "description", "provider", "model", "tools"]);
    let instructions = old.text("instructions")?.unwrap_or_default();
    old.put("instructions", instructions);
    let mut resources = old.part("tool_resources")?;
    let mut tools = Old::new(bson::Document::new());
    let mut search = resources.part("file_search")?;
    search.rename("vector_store_ids", "vectorStoreIds");
    tools.put_some("fileSearch", resource(search)?);
    let mut interpreter = resources.part("code_interpreter")?;
    interpreter.uuids("file_ids", "fileIds")?;
    tools.put_some("codeInterpreter", resource(interpreter)?);
    resources.into_part()?;
    old.put("toolResources", tools.into_part()?);
    let mut parameters = old.part("model_parameters")?;
    for (from, to) in [("temperature", "temperature"), ("top_p", "topP")] {
        let number = parameters.number(from)?;
        parameters.put_some(to, number);
    }
    parameters.put_whole("max_tokens", "maxTokens")?;
    old.put("parameters", parameters.into_part()?);
    let mut avatar = old.part("avatar")?;
    avatar.drop(&["source"]);
    let icon = avatar.text("filepath")?;
    old.put_some("icon", icon);
    old.put_whole("version", "version")?;
    old.default("version", 1);
    old.default("tools", Vec::<Bson>::new());
    old.put("tier", "free");
    // Nobody had decided to show it to everybody.
    old.put("published", false);
    Ok(old)
}

fn resource(part: Old) -> Result<Option<bson::Document>> {
    let mut files = part.into_part_if_any()?;
    if let Some(files) = &mut files {
        for field in ["fileIds", "vectorStoreIds"] {
            files.entry(field.to_owned()).or_insert(Bson::Array(Vec::new()));
        }
    }
    Ok(files)
}

/// `file_id` was a UUID already.
pub(super) fn file(mut old: Old) -> Result<Old> {
    old.uuid("file_id", "_id")?;
    old.rename("user", "userId");
    let name = old.text("filename")?;
    let name = name.ok_or_else(|| Error::refused("a file without a name"))?;
    old.put("filename", name.clone());
    old.put("originalName", name);
    old.rename("type", "mimeType");
    old.put_whole("bytes", "size")?;
    old.choice("source", "storageProvider", "local")?;
    let url = old.text("filepath")?.unwrap_or_default();
    let key = old.text("file_path")?.unwrap_or_else(|| url.clone());
    old.put("storageKey", key);
    old.put("url", url);
    let embedded = old.flag("embedded")?;
    old.put("embedded", embedded);
    old.keep(&["vectorStoreId"]);
    let mut metadata = match old.take("metadata") {
        Some(Bson::Document(metadata)) => metadata,
        _ => bson::Document::new(),
    };
    if let Some(context) = old.take("context") {
        metadata.insert("context", context);
    }
    old.put("metadata", metadata);
    Ok(old)
}
