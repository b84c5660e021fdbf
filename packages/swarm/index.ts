export { createSwarm, type Swarm, type SwarmNode, type SwarmOptions } from './src/swarm.ts';
