import { SkerryError } from '@skerry/base';
import {
  availabilityDefault,
  type Candidate,
  type Gazetteer,
  type Place,
  placeTextMax,
  regionOf,
  trustNeutral,
} from '@skerry/placement';
import { statedTrust, statementOn, type TrustStatements } from '@skerry/trust';
import {
  namedPlacesMax,
  nodeIdLengthMax,
  operatorLengthMax,
  peersFileBytesMax,
  peersMax,
} from '../parameters.ts';
import { readBoundedText } from './bounded-file.ts';

/** What a peers file says. */
export type PeersFile = {
  readonly candidates: readonly Candidate[];
  /** Whether the file says that places and operators are made up. */
  readonly simulated: boolean;
};

/** What the reader of a peers file needs besides the file. */
type PeersContext = {
  /** Trust in nodes and operators where the file has none, by node id or `operator:NAME`. */
  readonly trust: TrustStatements;
  /** Called once, and only when a place is given by name or coordinates. */
  readonly loadGazetteer: () => Promise<Gazetteer>;
};

type Fields = Readonly<Record<string, unknown>>;

function invalid(where: string, what: string): SkerryError {
  return new SkerryError('PEERS_INVALID', `${where} ${what}`, { where });
}

function fieldsOf(value: unknown, where: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(where, 'must be an object');
  }
  return value as Fields;
}

/** A field of its own; what an object inherits was not in the file. */
function field(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

function textOf(value: unknown, where: string, lengthMin: number, lengthMax: number): string {
  if (typeof value === 'string' && value.length >= lengthMin && value.length <= lengthMax) return value;
  throw invalid(where, `must be a text of ${lengthMin} to ${lengthMax} characters`);
}

function numberOf(value: unknown, where: string, min: number, max: number): number {
  if (typeof value === 'number' && value >= min && value <= max) return value;
  throw invalid(where, `must be a number from ${min} to ${max}`);
}

/** A place with its coordinates. Its region follows from the country, whatever the file says. */
function placeOf(value: unknown, where: string): Place {
  const fields = fieldsOf(value, where);
  const country = textOf(field(fields, 'country') ?? '', `${where}.country`, 0, 2);
  return {
    name: textOf(field(fields, 'name') ?? '', `${where}.name`, 0, placeTextMax),
    lat: numberOf(field(fields, 'lat'), `${where}.lat`, -90, 90),
    lon: numberOf(field(fields, 'lon'), `${where}.lon`, -180, 180),
    country,
    region: regionOf(country),
  };
}

/** Where a node counts as being: elsewhere than it claims where its claim is refuted, in a region of all such nodes. */
function countedAs(claim: Place, value: unknown, where: string): Place {
  if (value === null) return claim;
  const fields = fieldsOf(value, where);
  const lat = numberOf(field(fields, 'lat'), `${where}.lat`, -90, 90);
  const lon = numberOf(field(fields, 'lon'), `${where}.lon`, -180, 180);
  return { ...claim, lat, lon, region: 'refuted' };
}

/** Finds places by their text, each once. */
function createPlaceFinder(loadGazetteer: PeersContext['loadGazetteer']) {
  const found = new Map<string, Place>();
  let gazetteer: Gazetteer | undefined;
  return async (text: string, where: string): Promise<Place> => {
    const known = found.get(text);
    if (known !== undefined) return known;
    if (found.size === namedPlacesMax) {
      throw invalid(where, `is one place too many by name: over ${namedPlacesMax}; give lat and lon instead`);
    }
    gazetteer ??= await loadGazetteer();
    try {
      const { place } = gazetteer.resolve(text);
      found.set(text, place);
      return place;
    } catch (error) {
      if (!(error instanceof SkerryError)) throw error;
      throw new SkerryError(error.code, `${where}: ${error.message}`, { ...error.metadata, where }, error);
    }
  };
}

function operatorOf(value: unknown, where: string): string | null {
  if (value === undefined || value === null || value === '') return null;
  return textOf(value, where, 1, operatorLengthMax);
}

function trustIn(trust: PeersContext['trust'], nodeId: string, operator: string | null): number {
  const statement = statementOn(trust, nodeId, operator);
  return statement === null ? trustNeutral : statedTrust(statement, trustNeutral);
}

async function candidateOf(
  value: unknown,
  where: string,
  findPlace: ReturnType<typeof createPlaceFinder>,
  trust: PeersContext['trust'],
): Promise<Candidate> {
  const fields = fieldsOf(value, where);
  const nodeId = textOf(field(fields, 'nodeId'), `${where}.nodeId`, 1, nodeIdLengthMax);
  const operator = operatorOf(field(fields, 'operator'), `${where}.operator`);
  const location = field(fields, 'location');
  const given = field(fields, 'trust') ?? trustIn(trust, nodeId, operator);
  const availability = field(fields, 'availability') ?? availabilityDefault;
  const claim =
    typeof location === 'string'
      ? await findPlace(location, `${where}.location`)
      : placeOf(location, `${where}.location`);
  return {
    nodeId,
    place: countedAs(claim, field(fields, 'countsAs') ?? null, `${where}.countsAs`),
    operator,
    trust: numberOf(given, `${where}.trust`, 0, 1),
    availability: numberOf(availability, `${where}.availability`, 0, 1),
  };
}

function parseFile(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SkerryError('PEERS_INVALID', `${path} is not JSON; see skerry plan --help`, { path }, cause);
  }
}

/**
 * Reads the nodes that a plan may choose from: `{"peers": [...]}`, as `skerry peers ls --json` writes it or by hand.
 * An entry has `nodeId`, `location` ("City, CC", "lat,lon" or `{name, lat, lon, country}`), and perhaps `operator`,
 * `trust`, `availability` and `countsAs` (`{lat, lon}`: its claim is refuted, and it counts as being there); other
 * fields are passed over. Names may hold any characters: who shows them makes them
 * safe.
 *
 * @param path the file
 * @param context see `PeersContext`
 * @throws FILE_UNREADABLE when it cannot be read; PEERS_INVALID when it is too large, not JSON or not of its shape;
 *   PLACE_UNKNOWN, PLACE_INVALID for a place that nobody knows. Each names the entry
 */
export async function readPeersFile(path: string, context: PeersContext): Promise<PeersFile> {
  const text = await readBoundedText(path, peersFileBytesMax);
  if (text === undefined) throw invalid(path, `has more than ${peersFileBytesMax} bytes`);
  return readPeers(parseFile(text, path), path, context);
}

/**
 * The same from a document that was parsed already, such as a daemon's answer.
 *
 * @param document anything
 * @param path where it comes from, for errors
 * @throws PEERS_INVALID, PLACE_UNKNOWN, PLACE_INVALID as `readPeersFile`
 */
export async function readPeers(document: unknown, path: string, context: PeersContext): Promise<PeersFile> {
  const fields = fieldsOf(document, path);
  const peers = field(fields, 'peers');
  if (!Array.isArray(peers)) throw invalid(path, 'must have an array "peers"');
  if (peers.length > peersMax) throw invalid('peers', `must have at most ${peersMax} entries`);
  const findPlace = createPlaceFinder(context.loadGazetteer);
  const candidates: Candidate[] = [];
  const seen = new Map<string, number>();
  for (const [index, peer] of peers.entries()) {
    const where = `peers[${index}]`;
    const candidate = await candidateOf(peer, where, findPlace, context.trust);
    const before = seen.get(candidate.nodeId);
    if (before !== undefined) throw invalid(`${where}.nodeId`, `is that of peers[${before}] too`);
    seen.set(candidate.nodeId, index);
    candidates.push(candidate);
  }
  const simulated = field(fields, 'simulated') ?? false;
  if (typeof simulated !== 'boolean') throw invalid('simulated', 'must be true or false');
  return { candidates, simulated };
}
