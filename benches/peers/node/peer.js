// Mongoose, told line by line what to do: see ../turns/src/lib.rs.
import { createInterface } from 'node:readline';
import mongoose from 'mongoose';

const { Schema } = mongoose;
const DOCUMENTS = 10000;
const TENANT = 'acme';

const schema = new Schema(
  {
    organization: { type: String, required: true },
    project: { type: Schema.Types.ObjectId, required: true },
    name: { type: String, required: true },
    note: String,
    tags: [String],
    limits: new Schema(
      {
        daily: { type: Number, required: true },
        weekly: { type: Number, required: true },
        label: { type: String, required: true },
      },
      { _id: false },
    ),
    count: { type: Number, required: true },
    score: { type: Number, required: true },
    enabled: { type: Boolean, required: true },
    created_at: { type: Date, required: true },
    updated_at: { type: Date, required: true },
    // Beyond 32 bits a Number is stored as a double, which the others do not take for their integer.
    _rev: { type: BigInt, required: true },
  },
  { versionKey: false, collection: 'widgets', autoIndex: false, autoCreate: false },
);
const Widget = mongoose.model('Widget', schema);

const id = (number) => new mongoose.Types.ObjectId(`655c0000a1b2c3d4${number.toString(16).padStart(8, '0')}`);
const own = (number) => ({ _id: id(number), organization: TENANT });
const project = id(7);

function numbered(number) {
  const now = new Date();
  return {
    organization: TENANT,
    project,
    name: `Blue widget ${number}`,
    note: 'Ships on Tuesdays, unless it rains',
    tags: ['alpha', 'beta', 'release-candidate'],
    limits: { daily: 100, weekly: 500, label: 'standard' },
    count: number,
    score: number + 0.25,
    enabled: true,
    created_at: now,
    updated_at: now,
    _rev: 1n,
  };
}

function expect(truth) {
  if (!truth) throw new Error('the work was not done');
}

async function inserted() {
  await Widget.insertMany(Array.from({ length: DOCUMENTS }, (_, number) => numbered(number)));
}

const peers = {
  mongoose: {
    get: async (number) => expect(await Widget.findOne(own(number))),
    read: async () => expect((await Widget.find({ organization: TENANT })).length === DOCUMENTS),
    update: async (number, count) =>
      expect((await Widget.updateOne(own(number), { $set: { count } })).matchedCount === 1),
    judged: async (number, count) => {
      const seen = await Widget.findOne(own(number));
      const guarded = { ...own(number), _rev: seen._rev };
      const change = { count, updated_at: new Date(), _rev: seen._rev + 1n };
      expect((await Widget.updateOne(guarded, { $set: change })).matchedCount === 1);
    },
    insert: async (number) => {
      await Widget.create(numbered(number));
    },
    insert_many: inserted,
  },
  'mongoose-lean': {
    get: async (number) => expect(await Widget.findOne(own(number)).lean()),
    read: async () => expect((await Widget.find({ organization: TENANT }).lean()).length === DOCUMENTS),
  },
};

await mongoose.connect(process.env.PEERS_URI);
console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const [peer, verb, times] = line.split(' ');
  const work = peers[peer][verb];
  if (!work) {
    console.log('none');
    continue;
  }
  const start = process.hrtime.bigint();
  for (let time = 0; time < Number(times); time += 1) {
    await work((time * 7919) % DOCUMENTS, Math.floor(Math.random() * 1e9));
  }
  console.log(String(process.hrtime.bigint() - start));
}
await mongoose.disconnect();
