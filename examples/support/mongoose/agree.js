'use strict';
// `node agree.js <models.js> <uri> <database>`: validates and saves what is stored, writes documents of its own, and prints
// what was seen. The models' file exports `models` and `write`.

const mongoose = require('mongoose');

async function main(file, uri, dbName) {
  const { models, write } = require(file);
  mongoose.set('autoIndex', false);
  await mongoose.connect(uri, { dbName });
  const seen = {};
  for (const [name, Model] of Object.entries(models)) {
    const documents = await Model.find();
    for (const document of documents) {
      await document.validate();
      // A measurement never changes.
      if (Model.schema.options.timeseries) continue;
      // A change that Mongoose makes and saves leaves a document that the other side still reads.
      document.markModified('createdAt');
      await document.save();
    }
    const diff = await Model.diffIndexes();
    seen[name] = { documents: documents.map((document) => document.toObject()), toCreate: diff.toCreate, toDrop: diff.toDrop };
  }
  await write();
  console.log(JSON.stringify(seen));
  await mongoose.disconnect();
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
