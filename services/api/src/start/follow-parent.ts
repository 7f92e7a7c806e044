/** Preloaded into server and worker by `npm start`: when that is killed, they end as if it had asked them to. */
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
// The channel is no work: it must not keep a process alive that has closed everything else.
process.channel?.unref()
