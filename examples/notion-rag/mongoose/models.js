'use strict';
// The schemas of the old service, field by field; what its hooks encrypted or hashed is stored as it is given.

const { Schema, model } = require('mongoose');
const { ObjectId, Mixed } = Schema.Types;

const now = { type: Date, default: Date.now };
const text = { type: String, required: true };
const choice = (values, value) => ({ type: String, enum: values, default: value });
const oneOf = (...values) => ({ type: String, enum: values, required: true });
const flag = (value) => ({ type: Boolean, default: value });
const zero = { type: Number, default: 0 };
const to = (ref, more) => ({ type: ObjectId, ref, required: true, ...more });

const user = new Schema({
  email: { ...text, unique: true, lowercase: true, trim: true },
  password: { ...text, select: false },
  name: { ...text, trim: true },
  status: choice(['active', 'inactive', 'suspended'], 'active'),
  role: choice(['user', 'admin'], 'user'),
  refreshToken: { type: String, select: false },
  lastLoginAt: Date,
  createdAt: now,
});

const member = new Schema({
  user: to('User'),
  role: choice(['owner', 'admin', 'member', 'viewer'], 'member'),
  permissions: {
    canQuery: flag(true),
    canViewSources: flag(true),
    canInvite: flag(false),
    canManageSync: flag(false),
    canEditSettings: flag(false),
  },
  status: choice(['active', 'pending', 'removed'], 'active'),
  joinedAt: now,
});

const workspace = new Schema({
  workspaceId: { ...text, unique: true },
  workspaceName: text,
  owner: to('User'),
  members: [member],
  accessToken: { ...text, select: false },
  refreshToken: { type: String, select: false },
  syncStatus: choice(['idle', 'syncing', 'error', 'active'], 'idle'),
  syncSchedule: { enabled: flag(true), intervalHours: { type: Number, default: 24 }, lastScheduledAt: Date },
  stats: { totalPages: zero, totalDatabases: zero, totalDocuments: zero, lastSyncDuration: Number, errorCount: zero },
  lastSuccessfulSyncAt: Date,
  createdAt: now,
});

const conversation = new Schema({
  workspaceId: to('NotionWorkspace', { index: true }),
  userId: to('User', { index: true }),
  title: { type: String, default: 'New Conversation' },
  messageCount: zero,
  lastMessageAt: now,
  status: choice(['active', 'archived', 'deleted'], 'active'),
  metadata: { intents: [String], topics: [String], averageConfidence: Number },
  createdAt: now,
});
conversation.index({ workspaceId: 1, userId: 1, status: 1 });
conversation.index({ lastMessageAt: -1 });

const message = new Schema({
  conversationId: to('Conversation', { index: true }),
  role: oneOf('user', 'assistant', 'system'),
  content: text,
  metadata: {
    sources: [{ sourceNumber: Number, title: String, url: String, section: String }],
    confidence: Number,
    intent: String,
    processingTime: Number,
    citedSources: [Number],
    isGrounded: Boolean,
    hasHallucinations: Boolean,
  },
  timestamp: { ...now, index: true },
});
message.index({ conversationId: 1, timestamp: 1 });

const source = new Schema({
  workspaceId: { ...text, index: true },
  sourceType: choice(['notion', 'pdf', 'web'], 'notion'),
  sourceId: text,
  documentType: choice(['page', 'database', 'file'], 'page'),
  title: text,
  url: String,
  contentHash: { type: String, index: true },
  syncStatus: choice(['pending', 'indexed', 'error', 'deleted'], 'pending'),
  chunkCount: zero,
  vectorStoreIds: [String],
  lastModifiedInSource: Date,
  lastIndexedAt: Date,
  metadata: { author: String, createdAt: Date, properties: Mixed, parentId: String, parentType: String },
  error: { message: String, timestamp: Date, retryCount: Number },
  createdAt: now,
});
source.index({ workspaceId: 1, sourceId: 1 }, { unique: true });

const job = new Schema({
  jobId: { ...text, index: true },
  workspaceId: { ...text, index: true },
  jobType: oneOf('full_sync', 'incremental_sync'),
  status: choice(['queued', 'processing', 'completed', 'failed', 'cancelled'], 'queued'),
  triggeredBy: choice(['manual', 'scheduled', 'auto', 'webhook'], 'manual'),
  progress: {
    totalDocuments: Number,
    processedDocuments: Number,
    successCount: Number,
    errorCount: Number,
    skippedCount: Number,
    currentDocument: String,
  },
  results: {
    documentsAdded: Number,
    documentsUpdated: Number,
    documentsDeleted: Number,
    errors: [{ documentId: String, error: String, timestamp: Date }],
  },
  retryCount: zero,
  error: { message: String, timestamp: Date },
  startedAt: Date,
  completedAt: Date,
  duration: Number,
  createdAt: now,
}, { suppressReservedKeysWarning: true });

const analytics = new Schema({
  workspaceId: to('NotionWorkspace', { index: true }),
  eventType: oneOf('query', 'sync', 'login', 'error'),
  data: {
    query: String,
    intent: String,
    confidence: Number,
    sourceCount: Number,
    responseTime: Number,
    cacheHit: Boolean,
    userId: ObjectId,
    conversationId: ObjectId,
  },
  timestamp: now,
});
analytics.index({ timestamp: 1 }, { expireAfterSeconds: 90 * 24 * 60 * 60 });
analytics.index({ workspaceId: 1, eventType: 1, timestamp: -1 });

const models = {
  User: model('User', user),
  NotionWorkspace: model('NotionWorkspace', workspace),
  Conversation: model('Conversation', conversation),
  Message: model('Message', message),
  DocumentSource: model('DocumentSource', source),
  SyncJob: model('SyncJob', job),
  Analytics: model('Analytics', analytics, 'analytics'),
};

async function write() {
  const owner = await models.User.create({ email: ' OLD@example.com', password: 'hash', name: ' Old ', refreshToken: 'plain' });
  const workspace = await models.NotionWorkspace.create({
    workspaceId: 'notion-old', workspaceName: 'Old', owner, accessToken: 'plain',
    members: [{ user: owner, permissions: { canInvite: true } }],
  });
  const conversation = await models.Conversation.create({ workspaceId: workspace, userId: owner, metadata: { intents: ['ask'] } });
  await models.Message.create({
    conversationId: conversation, role: 'assistant', content: 'In the wiki.',
    metadata: { sources: [{ sourceNumber: 1, title: 'Wiki' }], citedSources: [1, 2.5], isGrounded: true },
  });
  await models.DocumentSource.create({
    workspaceId: 'notion-old', sourceId: 'p', title: 'P', metadata: { properties: { tags: ['a'], deep: { n: 1 } } }, error: { retryCount: 2 },
  });
  await models.SyncJob.create({
    jobId: 'j', workspaceId: 'notion-old', jobType: 'full_sync', startedAt: new Date(1700000000000),
    progress: { totalDocuments: 3 }, results: { errors: [{ documentId: 'd', error: 'e', timestamp: new Date() }] },
  });
  await models.Analytics.create({ workspaceId: workspace, eventType: 'query', data: { cacheHit: false, userId: owner, responseTime: 1.5 } });
}

module.exports = { models, write };
