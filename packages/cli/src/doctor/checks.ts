import { targetsOf } from '@skerry/placement';
import {
  capacityFullFrom,
  clockSkewEnoughMs,
  clockSkewMaxMs,
  contradictedClaimsMin,
  diskFreeBytesEnough,
  diskFreeBytesMin,
  inboundPatienceMs,
} from '../../parameters.ts';
import { formatBytes, formatDuration } from '../render/format.ts';
import type { DoctorFacts } from './facts.ts';

/** One thing that doctor looked at. */
type Check = {
  readonly name: string;
  /** `bad`: keys are at risk, or others will not deal with this node; `warn`: soon, or by chance. */
  readonly verdict: 'ok' | 'warn' | 'bad';
  readonly finding: string;
  /** What to do, where there is something. */
  readonly advice: string | null;
};

type Judged = Omit<Check, 'name'>;

const ok = (finding: string, advice: string | null = null): Judged => ({ verdict: 'ok', finding, advice });
const warn = (finding: string, advice: string): Judged => ({ verdict: 'warn', finding, advice });
const bad = (finding: string, advice: string): Judged => ({ verdict: 'bad', finding, advice });

function standing({ standing: { trust, reports, next, auditPeriodMs }, profile }: DoctorFacts): Judged {
  if (reports.length === 0) {
    return ok(`${trust.toFixed(2)}: nobody has said anything of this node yet`, 'hold shares, and stay up');
  }
  const isIll = ({ good, bad: against }: { good: number; bad: number }): boolean => against > good;
  const silent = reports.filter(({ says }) => isIll(says.availability)).length;
  const wrong = reports.filter(({ says }) => isIll(says.integrity)).length;
  const ill = reports.filter(({ says }) => isIll(says.availability) || isIll(says.integrity)).length;
  const heard = reports.filter(({ weight }) => weight > 0).length;
  const finding = `${trust.toFixed(2)} by what others say: ${reports.length} speak of it, ${ill} more ill than good, ${heard} with weight here`;
  const cause =
    wrong > 0
      ? `${wrong} found shares lost or answers wrong: look at the log and the disk; right answers bring trust back`
      : `${silent} found it silent: keep it up, and see listening`;
  const floor = targetsOf(profile, 'low').trustFloor;
  if (trust < floor) return bad(`${finding}; under ${floor} it gets no shares`, cause);
  if (2 * ill > reports.length) return warn(finding, cause);
  return ok(finding, `${next} (an audit period is ${formatDuration(auditPeriodMs)})`);
}

function place({ standing: { place }, isPlaceVerified, roundTrips }: DoctorFacts): Judged {
  if (!isPlaceVerified) return ok('the claim of this node is not held against round trips here');
  const { measured, contradicting } = roundTrips;
  const advice =
    'set location to where the node is (skerry config set location "City, CC"); on one machine or LAN set verify-place no, on every node';
  const [worst] = place.by;
  const broken = worst
    ? `..${worst.observer.slice(-6)} measures ${worst.roundTripMs.toFixed(1)} ms, so at most ${Math.round(worst.atMostKm)} km, and by the claim it is ${Math.round(worst.claimedKm)} km`
    : '';
  if (place.verdict === 'refuted') return bad(`refuted by ${place.by.length}: ${broken}`, advice);
  if (contradicting >= contradictedClaimsMin && 2 * contradicting > measured) {
    return bad(
      `the round trips of this node contradict ${contradicting} of ${measured} claims: its own is the likelier to be wrong`,
      advice,
    );
  }
  if (worst) return warn(`too few to refute it: ${broken}`, advice);
  if (place.verdict === 'consistent') return ok('round trips of others are consistent with the claim');
  return ok('nothing that others measured speaks for or against the claim');
}

function clock({ clockSkewMs }: DoctorFacts): Judged {
  if (clockSkewMs === null) return ok('too few answers of others to tell');
  const off = Math.abs(clockSkewMs);
  const finding = `${formatDuration(off)} off from others'`;
  const advice =
    'let NTP keep the clock (timedatectl set-ntp true); others refuse what is signed out of time';
  if (off >= clockSkewMaxMs) return bad(finding, advice);
  return off >= clockSkewEnoughMs ? warn(finding, advice) : ok(finding);
}

function listening({ listen, connections: { open, inbound }, uptimeMs, profile }: DoctorFacts): Judged {
  const advice =
    'open the port in the firewall and forward it; behind NAT, listen on an address that others reach (skerry config set listen)';
  if (listen.length === 0) return bad('on no address', 'set listen (skerry config set listen)');
  const [first] = listen.map(address => address.replace(/\/p2p\/.*$/, ''));
  const where = listen.length === 1 ? first : `${first} and ${listen.length - 1} more`;
  const finding = `on ${where}; others opened ${inbound} connections to it since the start, ${open} are open now`;
  const isLocal = listen.every(address => /^\/(ip4\/127\.|ip6\/::1\/)/.test(address));
  if (profile === 'open' && isLocal) return warn(`${finding}; this machine alone can reach it`, advice);
  if (inbound > 0 || uptimeMs < inboundPatienceMs) return ok(finding);
  return warn(`${finding}, in ${formatDuration(uptimeMs)}`, advice);
}

function peers({ peers: { known, alive } }: DoctorFacts): Judged {
  const finding = `${known} known, ${alive} answer`;
  if (known === 0) return warn(finding, 'name a node to start from: skerry run --bootstrap MULTIADDR');
  if (alive === 0) return bad(finding, 'look at the network of this machine, and at the log');
  return 2 * alive < known
    ? warn(finding, 'others are down, or this node is cut off from them')
    : ok(finding);
}

function disk({ diskFreeBytes }: DoctorFacts): Judged {
  if (diskFreeBytes === null) return ok('the system does not say what is free');
  const finding = `${formatBytes(diskFreeBytes)} free`;
  const advice = 'make room: without it the store refuses to write, and rounds are not answered';
  if (diskFreeBytes < diskFreeBytesMin) return bad(finding, advice);
  return diskFreeBytes < diskFreeBytesEnough ? warn(finding, advice) : ok(finding);
}

function shares({ shares: held, capacity }: DoctorFacts): Judged {
  const finding = `${held} held, of ${capacity} that it is willing to hold`;
  if (capacity === 0) return ok(`${finding}: it is no holder`);
  if (held < capacity * capacityFullFrom) return ok(finding);
  return warn(finding, 'raise capacity (skerry config set capacity), or others deal elsewhere');
}

function backup({ backupAdvice }: DoctorFacts): Judged {
  if (backupAdvice === null) return ok("the owner's key is marked as backed up");
  return warn("nothing says that the owner's key was backed up", backupAdvice);
}

/**
 * Keys that cannot be opened now, or that may be known, are bad; those below margin are a warning: less than half of the
 * holders that they may lose are left to lose; and so are those that miss their level's targets.
 */
function keys({ keys: owned }: DoctorFacts): Judged {
  const exposed = owned.filter(key => key.exposed);
  const lost = owned.filter(({ live, t }) => live < t);
  const thin = owned.filter(({ live, t, k }) => live >= t && 2 * (live - t) < k - t);
  const reduced = owned.filter(key => key.reduced);
  const named = new Set(
    [...exposed, ...lost, ...thin, ...reduced].map(({ alias, keyId }) => alias ?? keyId.slice(0, 16)),
  );
  const names = [...named].slice(0, 3).join(', ');
  const parts = [
    `${owned.length} owned, ${lost.length} below threshold, ${thin.length} below margin`,
    exposed.length > 0 ? `, ${exposed.length} exposed` : '',
    reduced.length > 0 ? `, ${reduced.length} reduced` : '',
  ];
  const finding = parts.join('');
  const full = `${finding}: ${names}${named.size > 3 ? ' and more' : ''}`;
  if (exposed.length > 0)
    return bad(full, 'skerry reseal what was sealed under them: t shares may have leaked');
  const advice =
    'skerry key show tells who is away; they are replaced by themselves in time, or at once by skerry key repair';
  if (lost.length > 0) return bad(full, `start their holders: nothing else brings such keys back; ${advice}`);
  if (thin.length > 0) return warn(full, advice);
  if (reduced.length > 0) {
    return warn(
      full,
      'they are dealt anew once the network has nodes enough; skerry key explain says what misses',
    );
  }
  return ok(finding);
}

function audits({ auditMs }: DoctorFacts): Judged {
  if (auditMs > 0)
    return ok(`on: each node that holds with this one is asked every ${formatDuration(auditMs)}`);
  return warn(
    'off: this node finds no lost share, and trust comes from opens and from others alone',
    'skerry config set audit-minutes 360',
  );
}

function verifyPlace({ isPlaceVerified, profile }: DoctorFacts): Judged {
  if (isPlaceVerified) return ok('on: who cannot be where it says it is counts as being elsewhere');
  const finding = 'off: whatever others say of where they are is believed';
  if (profile === 'local') return ok(`${finding}, which on one machine or LAN is right`);
  return warn(
    `${finding}, so that one machine can hold a key that seems spread over the world`,
    'skerry config set verify-place auto, on every node',
  );
}

const judges: Readonly<Record<string, (facts: DoctorFacts) => Judged>> = {
  standing,
  place,
  clock,
  listening,
  peers,
  disk,
  shares,
  backup,
  keys,
  audits,
  'verify-place': verifyPlace,
};

/**
 * Judges what was gathered, one check after the other.
 *
 * @param facts of `gatherFacts`
 */
export function checksOf(facts: DoctorFacts): Check[] {
  return Object.entries(judges).map(([name, judge]) => ({ name, ...judge(facts) }));
}
