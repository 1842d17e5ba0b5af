//! A small database of the old system, as its programs have stored it over the years.

use bson::oid::ObjectId;
use bson::{DateTime, Document, doc};

/// The bcrypt hash of `correct horse battery`, at cost 6.
pub const HASH: &str = "$2b$06$abcdefghijklmnopqrstuu50eFBEC8vQwBnuFXMHE45jBnqvQ8xz.";

pub const CONVERSATION: &str = "6f1f2a58-0d1e-4c57-9f43-2a1d8f6b7c01";
pub const QUESTION: &str = "0b0b7f0e-54a5-4b52-8a57-51c7f0d1a001";
pub const ANSWER: &str = "0b0b7f0e-54a5-4b52-8a57-51c7f0d1a002";
pub const BRANCH: &str = "0b0b7f0e-54a5-4b52-8a57-51c7f0d1a003";
pub const FILE: &str = "b7f9c6de-8f0f-4ab4-9a5b-0d6f3d1c2e11";

fn id(number: u8) -> ObjectId {
    ObjectId::from_bytes([number; 12])
}

fn date(seconds: i64) -> DateTime {
    DateTime::from_millis((1_700_000_000 + seconds) * 1_000)
}

/// Each collection, and its documents.
pub fn documents() -> Vec<(&'static str, Document)> {
    let message = |message_id: &str, parent: &str, by_user: bool, text: &str, seconds: i64| {
        doc! {
            "_id": ObjectId::from_bytes([0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, u8::try_from(seconds).unwrap_or(0)]),
            "messageId": message_id, "conversationId": CONVERSATION, "user": id(1),
            "sender": if by_user { "User" } else { "AI" }, "text": text, "isCreatedByUser": by_user,
            "parentMessageId": parent, "children": [], "error": false, "unfinished": false, "cancelled": false,
            "model": if by_user { None } else { Some("gpt-4o") }, "endpoint": "openAI",
            "finish_reason": null, "files": if by_user { vec![id(5)] } else { Vec::new() },
            "createdAt": date(seconds), "updatedAt": date(seconds), "__v": 0,
        }
    };
    let none = "00000000-0000-0000-0000-000000000000";
    vec![
        (
            "users",
            doc! {
                "_id": id(1), "email": "Ada@Example.com ", "password": HASH, "name": "Ada", "username": "ada", "avatar": null,
                "role": "USER", "tier": "pro", "provider": "local", "emailVerified": true,
                "preferences": { "fontSize": "text-lg", "theme": "dark", "language": "en-GB" },
                "createdAt": date(0), "updatedAt": date(1), "__v": 0,
            },
        ),
        // From before there were tiers, roles and preferences.
        (
            "users",
            doc! {
                "_id": id(2), "email": "grace@example.com", "name": "Grace", "role": "ADMIN", "provider": "google",
                "createdAt": date(0), "updatedAt": date(0),
            },
        ),
        (
            "conversations",
            doc! {
                "_id": id(3), "conversationId": CONVERSATION, "user": id(1), "title": "Business plans", "endpoint": "openAI",
                "model": "gpt-4o", "agentId": "agent_abc123", "assistant_id": null, "chatGptLabel": null, "modelLabel": "GPT",
                "promptPrefix": "Be brief.", "temperature": 1, "top_p": 0.5, "presence_penalty": 0, "frequency_penalty": 0,
                "createdAt": date(10), "updatedAt": date(13), "__v": 0,
            },
        ),
        (
            "messages",
            message(QUESTION, none, true, "What belongs into a business plan?", 11),
        ),
        (
            "messages",
            message(ANSWER, QUESTION, false, "A summary, a market, a budget.", 12),
        ),
        (
            "messages",
            message(BRANCH, QUESTION, false, "That depends on who reads it.", 13),
        ),
        (
            "agents",
            doc! {
                "_id": id(4), "id": "agent_abc123", "author": id(2), "name": "Planner", "description": "Plans.",
                "instructions": "Plan.", "model": "gpt-4o", "provider": "openai", "tools": ["file_search", "web_search"],
                "tool_resources": { "file_search": { "vector_store_ids": ["vs_1"] }, "code_interpreter": { "file_ids": [FILE] } },
                "model_parameters": { "temperature": 0.2, "top_p": 1, "max_tokens": 4096 },
                "avatar": { "source": "s3", "filepath": "/avatars/planner.png" }, "version": 3,
                "createdAt": date(0), "updatedAt": date(0), "__v": 0,
            },
        ),
        (
            "files",
            doc! {
                "_id": id(5), "file_id": FILE, "user": id(1), "filename": "market.pdf", "filepath": "/files/market.pdf",
                "type": "application/pdf", "bytes": 52_428.0, "source": "s3", "file_path": "s3://bucket/market.pdf",
                "embedded": true, "vectorStoreId": "vs_1", "context": "message_attachment", "metadata": { "pages": 12 },
                "createdAt": date(9), "updatedAt": date(9), "__v": 0,
            },
        ),
        (
            "courses",
            doc! {
                "_id": id(6), "title": "Founding", "description": null, "instructor": "Grace", "instructorBio": "Founder.",
                "thumbnailUrl": "/t.png", "tier": "free", "published": true, "order": 1, "modules": [id(7)],
                "createdAt": date(0), "updatedAt": date(0), "__v": 0,
            },
        ),
        (
            "modules",
            doc! {
                "_id": id(7), "courseId": id(6), "title": "The plan", "description": "How.", "videoUrl": "https://v.example/1",
                "videoProvider": "youtube", "streamRecordingId": "rec_1", "duration": 600, "transcript": "Welcome.",
                "videoMetadata": { "isRecording": true, "recordingDate": date(0), "isEvergreen": true, "storage": "spaces" },
                "order": 1, "published": true, "subModules": [id(8)], "createdAt": date(0), "updatedAt": date(0), "__v": 0,
            },
        ),
        (
            "transactions",
            doc! {
                "_id": id(9), "user": id(1), "stripeSessionId": "cs_1", "stripeCustomerId": "cus_1", "amount": 19.99,
                "currency": "USD", "status": "succeeded", "type": "subscription", "productId": "prod_1", "productName": "Pro",
                "createdAt": date(0), "updatedAt": date(0), "__v": 0,
            },
        ),
        (
            "transactions",
            doc! {
                "_id": id(10), "user": id(1), "stripeSessionId": null, "amount": 1500, "currency": "jpy", "status": "failed",
                "type": "one_time", "createdAt": date(0), "updatedAt": date(0), "__v": 0,
            },
        ),
    ]
}

/// The old id of the module, as the Postgres rows of recordings name it.
pub fn module() -> String {
    id(7).to_hex()
}
