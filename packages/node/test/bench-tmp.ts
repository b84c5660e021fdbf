import { startHosts, recordingLog } from './hosts.ts';
import { createPeerStreams } from '../src/streams.ts';
const [a,b]=await startHosts(2);
const h=async(_:any,x:Uint8Array)=>x; const log=recordingLog();
const sb=await createPeerStreams({host:b!,protocol:'/t',handle:h,log}); const sa=await createPeerStreams({host:a!,protocol:'/t',handle:h,log});
const body=new Uint8Array(300);
const one=async()=>sa.request(b!.nodeId,body,{deadlineMs:5000});
for(let i=0;i<3000;i++) await one();
const lat:number[]=[]; for(let i=0;i<3000;i++){const t=performance.now(); await one(); lat.push(performance.now()-t);} lat.sort((x,y)=>x-y); console.log('p50',lat[1500],'p99',lat[2970]);
for (const c of [1,16,64]) { let n=0; const t=performance.now(); await Promise.all(Array.from({length:c},async()=>{while(performance.now()-t<3000){await one();n++}})); console.log(c,(n/3).toFixed(0),'req/s'); }
process.exit(0);
