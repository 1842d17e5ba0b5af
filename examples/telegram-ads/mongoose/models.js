'use strict';
// The schemas of the old dashboard for the models whose fields are known, and its users and settings.

const { Schema, model } = require('mongoose');
const { ObjectId, Mixed } = Schema.Types;

const text = { type: String, required: true };
const zero = { type: Number, default: 0 };
const oneOf = (values, more) => ({ type: String, enum: values, ...more });
const timestamps = { timestamps: true };

const user = new Schema({
  email: { ...text, unique: true, lowercase: true, trim: true },
  name: text,
  role: oneOf(['admin', 'operator'], { default: 'operator' }),
  lastLoginAt: Date,
}, timestamps);

const campaign = new Schema({
  name: text,
  type: oneOf(['onlyfans', 'casino'], { required: true }),
  status: oneOf(['draft', 'active', 'paused', 'completed'], { default: 'draft' }),
  priority: zero,
  targetGroups: [{ type: ObjectId, ref: 'TelegramGroup' }],
  creatives: [{ type: ObjectId, ref: 'Creative' }],
  schedule: { startAt: Date, endAt: Date, hours: [Number] },
  limits: { daily: { type: Number, default: 10 }, weekly: { type: Number, default: 50 } },
  performance: { views: zero, clicks: zero, ctr: zero, revenue: zero },
}, timestamps);
campaign.index({ status: 1, priority: -1 });
campaign.index({ type: 1, status: 1 });

const post = new Schema({
  campaignId: { type: ObjectId, ref: 'Campaign', required: true },
  groupId: { type: ObjectId, ref: 'TelegramGroup', required: true },
  creativeId: { type: ObjectId, ref: 'Creative', required: true },
  messageId: Number,
  sentAt: { type: Date, default: Date.now },
  metrics: { views: zero, clicks: zero, reactions: zero, replies: zero },
  revenue: zero,
  status: oneOf(['sent', 'failed', 'deleted'], { default: 'sent' }),
});
post.index({ campaignId: 1, sentAt: -1 });
post.index({ groupId: 1, sentAt: -1 });

const audit = new Schema({
  userId: { type: ObjectId, ref: 'User' },
  action: text,
  entityType: text,
  entityId: String,
  changes: { before: Mixed, after: Mixed },
  metadata: {
    ipAddress: String,
    userAgent: String,
    route: String,
    timestamp: { type: Date, default: Date.now },
    duration: Number,
    success: { type: Boolean, default: true },
  },
});
audit.index({ 'metadata.timestamp': -1 });
audit.index({ userId: 1, 'metadata.timestamp': -1 });
audit.index({ entityType: 1, entityId: 1 });

const models = {
  User: model('User', user),
  Campaign: model('Campaign', campaign),
  PostHistory: model('PostHistory', post),
  AuditLog: model('AuditLog', audit),
};

async function write() {
  const admin = await models.User.create({ email: ' OLD@example.com', name: 'Old', role: 'admin' });
  const campaign = await models.Campaign.create({ name: 'Old', type: 'onlyfans', schedule: { hours: [8, 20] }, performance: { views: 10, clicks: 1 } });
  const other = { groupId: campaign._id, creativeId: campaign._id };
  await models.PostHistory.create({ campaignId: campaign, ...other, metrics: { views: 10, clicks: 1 }, revenue: 1.5 });
  await models.AuditLog.create({
    userId: admin, action: 'update', entityType: 'Campaign', entityId: campaign.id,
    changes: { before: { status: 'draft' }, after: { status: 'active' } }, metadata: { route: 'campaign.update', duration: 12 },
  });
}

module.exports = { models, write };
