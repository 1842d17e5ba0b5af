"""Beanie, told line by line what to do: see ../turns/src/lib.rs."""

import asyncio
import os
import random
import sys
import time
from datetime import datetime, timezone
from typing import List, Optional

from beanie import Document, PydanticObjectId, init_beanie
from pydantic import BaseModel, Field
from pymongo import AsyncMongoClient

DOCUMENTS = 10_000
TENANT = "acme"


class Limits(BaseModel):
    daily: int
    weekly: int
    label: str


class Widget(Document):
    organization: str
    project: PydanticObjectId
    name: str
    note: Optional[str] = None
    tags: List[str]
    limits: Limits
    count: int
    score: float
    enabled: bool
    created_at: datetime
    updated_at: datetime
    rev: int = Field(alias="_rev")

    class Settings:
        name = "widgets"


def identity(number):
    return PydanticObjectId(f"655c0000a1b2c3d4{number:08x}")


def own(number):
    return {"_id": identity(number), "organization": TENANT}


def numbered(number):
    now = datetime.now(timezone.utc)
    return Widget(
        organization=TENANT,
        project=identity(7),
        name=f"Blue widget {number}",
        note="Ships on Tuesdays, unless it rains",
        tags=["alpha", "beta", "release-candidate"],
        limits=Limits(daily=100, weekly=500, label="standard"),
        count=number << 33,
        score=number + 0.25,
        enabled=True,
        created_at=now,
        updated_at=now,
        _rev=1 << 33,
    )


async def get(number, _):
    assert await Widget.find_one(own(number))


async def read(_number, _):
    assert len(await Widget.find({"organization": TENANT}).to_list()) == DOCUMENTS


async def update(number, count):
    result = await Widget.find_one(own(number)).update({"$set": {"count": count}})
    assert result.matched_count == 1


async def judged(number, count):
    seen = await Widget.find_one(own(number))
    change = {"count": count, "updated_at": datetime.now(timezone.utc), "_rev": seen.rev + 1}
    result = await Widget.find_one({**own(number), "_rev": seen.rev}).update({"$set": change})
    assert result.matched_count == 1


async def insert(number, _):
    await numbered(number).insert()


async def insert_many(_number, _):
    await Widget.insert_many([numbered(number) for number in range(DOCUMENTS)])


VERBS = {work.__name__: work for work in (get, read, update, judged, insert, insert_many)}


async def main():
    client = AsyncMongoClient(os.environ["PEERS_URI"], tz_aware=True)
    await init_beanie(database=client.get_default_database(), document_models=[Widget])
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        _peer, verb, times = line.split()
        start = time.perf_counter_ns()
        for turn in range(int(times)):
            await VERBS[verb](turn * 7919 % DOCUMENTS, random.randrange(10**9))
        print(time.perf_counter_ns() - start, flush=True)
    await client.close()


asyncio.run(main())
