'use strict';
// `node agree.js <uri> <database>`: validates what is stored, writes a document of each model, and prints what was seen.

const mongoose = require('mongoose');
const models = require('./models.js');

async function main(uri, dbName) {
  mongoose.set('autoIndex', false);
  await mongoose.connect(uri, { dbName });
  const seen = {};
  for (const [name, Model] of Object.entries(models)) {
    const documents = await Model.find();
    for (const document of documents) {
      await document.validate();
      // A change that Mongoose makes and saves leaves a document that the other side still reads.
      document.markModified('createdAt');
      await document.save();
    }
    const diff = await Model.diffIndexes();
    seen[name] = { documents: documents.map((document) => document.toObject()), toCreate: diff.toCreate };
  }
  await write();
  console.log(JSON.stringify(seen));
  await mongoose.disconnect();
}

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

main(process.argv[2], process.argv[3]).catch((error) => {
  console.error(error);
  process.exit(1);
});
