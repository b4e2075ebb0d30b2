// A day's work with imapflow: node work.mjs DIRECTORY PORT
// DIRECTORY holds node_modules.  Prints one JSON object: what was seen.

import { createRequire } from "node:module";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";

const [directory, port] = process.argv.slice(2);
const { ImapFlow } = createRequire(join(directory, "package.json"))("imapflow");

const WORK = "Public Folders/Wörk";
const OPTIONS = {
    host: "127.0.0.1",
    port: Number(port),
    secure: false,
    doSTARTTLS: false,
    logger: false,
};

function client(user) {
    return new ImapFlow({ ...OPTIONS, auth: { user, pass: "password" } });
}

function letter(subject) {
    return `From: ann@example.org\r\nSubject: ${subject}\r\n\r\nhello\r\n`;
}

async function work(seen) {
    const alice = client("alice");
    await alice.connect();
    seen.enabled = [...alice.enabled];
    seen.folders = (await alice.list()).map((each) => each.path);
    await alice.mailboxCreate(WORK);
    seen.appended = [];
    for (const folder of [WORK, "INBOX"]) {
        for (const subject of ["one", "two"]) {
            const answer = await alice.append(folder, letter(`${subject} ${folder.slice(0, 3)}`), ["\\Flagged"]);
            seen.appended.push(answer.uid);
        }
    }
    let lock = await alice.getMailboxLock("INBOX");
    try {
        const found = await alice.search({ subject: "INB" }, { uid: true });
        seen.found = found;
        const message = await alice.fetchOne("2", { envelope: true, bodyStructure: true, source: true, flags: true });
        seen.envelope = [message.envelope.subject, message.envelope.from[0].address];
        seen.structure = message.bodyStructure.type;
        seen.source = message.source.toString();
        seen.flags = [...message.flags];
        const { content } = await alice.download("2", "1", { uid: true });
        let text = "";
        for await (const piece of content) {
            text += piece;
        }
        seen.text = text;
        await alice.messageFlagsAdd("2:3", ["\\Answered"], { uid: true });
        await alice.messageFlagsRemove("3", ["\\Flagged"], { uid: true });
        seen.copied = [...(await alice.messageCopy("2", WORK, { uid: true })).uidMap];
        seen.moved = [...(await alice.messageMove("3", WORK, { uid: true })).uidMap];
        await alice.messageDelete("2", { uid: true });
        seen.left = alice.mailbox.exists;
    } finally {
        lock.release();
    }
    seen.status = await alice.status(WORK, { messages: true, uidNext: true, unseen: true });
    await alice.mailboxRename(WORK, `${WORK}er`);
    await alice.mailboxSubscribe(`${WORK}er`);
    seen.subscribed = (await alice.list()).filter((each) => each.subscribed).map((each) => each.path);
    await alice.logout();
}

async function idle(seen) {
    const bob = client("bob");
    const alice = client("alice");
    await bob.connect();
    await alice.connect();
    await bob.mailboxOpen("Public Folders/News", { readOnly: true });
    const before = bob.mailbox.exists;
    const heard = once(bob, "exists");
    const idling = bob.idle();
    await alice.append("Public Folders/News", letter("news"));
    const [event] = await heard;
    seen.heard = [event.path, event.count - before];
    await alice.mailboxOpen("Public Folders/News");
    const gone = once(bob, "expunge");
    await alice.messageDelete("*");
    const [left] = await gone;
    seen.gone = left.path;
    await bob.noop();
    await idling;
    seen.back = bob.mailbox.exists - before;
    await alice.logout();
    await bob.logout();
}

const seen = {};
await work(seen);
await idle(seen);
console.log(JSON.stringify(seen));
