'use strict';
// The models as the old service's instructions ask for them: timestamps, a named collection, indexes, toJSON. Secrets are
// not selected; what it encrypted is stored as it is given.

const { Schema, model } = require('mongoose');
const { ObjectId, Mixed } = Schema.Types;

const text = { type: String, required: true };
const zero = { type: Number, default: 0, min: 0 };
const oneOf = (values, more) => ({ type: String, enum: values, ...more });
const to = (ref) => ({ type: ObjectId, ref, required: true });
const secret = { type: Mixed, select: false };
const options = (collection) => ({ collection, timestamps: true });

function tidy(schema) {
  schema.set('toJSON', {
    virtuals: true,
    transform: (doc, ret) => {
      delete ret.__v;
      delete ret.password;
      delete ret.accessToken;
      delete ret.refreshToken;
      return ret;
    },
  });
}

const tenant = new Schema({
  name: { ...text, trim: true, maxlength: 120 },
  slug: { ...text, trim: true, lowercase: true, match: /^[a-z0-9-]{2,40}$/, unique: true },
  plan: oneOf(['free', 'pro'], { default: 'free' }),
  status: oneOf(['active', 'suspended'], { default: 'active' }),
}, options('tenants'));
tenant.index({ createdAt: -1 });

const user = new Schema({
  tenantId: to('Tenant'),
  email: { ...text, trim: true, lowercase: true, unique: true },
  password: { ...secret, required: true },
  firstName: { ...text, trim: true, maxlength: 80 },
  lastName: { type: String, trim: true, maxlength: 80 },
  phone: secret,
  role: oneOf(['admin', 'editor', 'viewer'], { default: 'viewer' }),
  lastLoginAt: Date,
}, options('users'));
user.virtual('displayName').get(function () {
  return this.lastName ? `${this.firstName} ${this.lastName}` : this.firstName;
});
user.index({ tenantId: 1, createdAt: -1 });

const connection = new Schema({
  tenantId: to('Tenant'),
  adAccountId: { ...text, match: /^act_[0-9]+$/ },
  accessToken: { ...secret, required: true },
  refreshToken: secret,
  scopes: { type: [String], default: [] },
  expiresAt: Date,
  status: oneOf(['active', 'expired', 'revoked'], { default: 'active' }),
}, options('metaconnections'));
connection.index({ tenantId: 1, status: 1 });
connection.index({ tenantId: 1, createdAt: -1, _id: -1 });
connection.index({ tenantId: 1, adAccountId: 1 }, { unique: true });

const campaign = new Schema({
  tenantId: to('Tenant'),
  connection: to('MetaConnection'),
  metaCampaignId: String,
  name: { ...text, trim: true, maxlength: 400 },
  objective: oneOf(['OUTCOME_TRAFFIC', 'OUTCOME_LEADS', 'OUTCOME_SALES'], { required: true }),
  status: oneOf(['ACTIVE', 'PAUSED', 'DELETED', 'ARCHIVED'], { default: 'PAUSED' }),
  budget: { daily: { type: Number, required: true, min: 100 }, lifetime: { type: Number, min: 100 } },
  startsAt: Date,
  endsAt: {
    type: Date,
    validate: { validator(end) { return !end || end > this.startsAt; }, message: 'must be after startsAt' },
  },
}, options('campaigns'));
campaign.index({ tenantId: 1, status: 1, createdAt: -1, _id: -1 });
campaign.index({ tenantId: 1, createdAt: -1, _id: -1 });
campaign.index({ tenantId: 1, metaCampaignId: 1 }, { unique: true, partialFilterExpression: { metaCampaignId: { $exists: true } } });

// A time series: the server packs it by `_meta`, which says once more whose a measurement is.
const source = { tenantId: to('Tenant'), campaign: to('Campaign') };
const snapshot = new Schema({
  ...source,
  _meta: source,
  hour: { type: Date, required: true },
  metrics: { impressions: zero, clicks: zero, spend: zero, conversions: zero },
}, {
  collection: 'performancesnapshots',
  timestamps: { createdAt: true, updatedAt: false },
  timeseries: { timeField: 'hour', metaField: '_meta', granularity: 'hours' },
  expireAfterSeconds: 730 * 24 * 60 * 60,
  versionKey: false,
});
snapshot.index({ '_meta.tenantId': 1, '_meta.campaign': 1, hour: -1 });

[tenant, user, connection, campaign, snapshot].forEach(tidy);

const models = {
  Tenant: model('Tenant', tenant),
  User: model('User', user),
  MetaConnection: model('MetaConnection', connection),
  Campaign: model('Campaign', campaign),
  PerformanceSnapshot: model('PerformanceSnapshot', snapshot),
};

// bcrypt of `correct horse battery`, at cost 6.
const hash = '$2b$06$abcdefghijklmnopqrstuu50eFBEC8vQwBnuFXMHE45jBnqvQ8xz.';

async function write() {
  const tenantId = await models.Tenant.create({ name: ' Old ', slug: 'OLD' });
  await models.User.create({ tenantId, email: ' OLD@example.com', password: hash, firstName: 'Old', role: 'admin' });
  const connection = await models.MetaConnection.create({ tenantId, adAccountId: 'act_7', accessToken: 'EAABold', scopes: ['ads_read'] });
  const campaign = await models.Campaign.create({
    tenantId, connection, name: 'Old', objective: 'OUTCOME_LEADS', budget: { daily: 500, lifetime: 5000.0 },
    startsAt: new Date(1700000000000), endsAt: new Date(1800000000000),
  });
  await models.PerformanceSnapshot.create({
    tenantId, campaign, _meta: { tenantId, campaign: campaign._id }, hour: new Date(1772355600000), metrics: { impressions: 100, clicks: 3, spend: 250 },
  });
}

module.exports = { models, write };
