"""What Redis does in one step: fence, epoch and number are checked, and all is written, or nothing.

In the first, KEYS are meta, state and log of one spoke.
"""

# The server's run id. In a cluster it is that of the server which has the keys.
_SERVER = """
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
"""

# ARGV: a name for a new epoch, the worker whose lease it must be, "" where spokes are not shared. A
# server that was started anew, or took over from one that died, may have lost what was told last:
# its numbers would be given twice, so they are not used any more.
CLAIM = (
    _SERVER
    + """
if (redis.call('HGET', KEYS[1], 'holder') or '') ~= ARGV[2] then
  return false
end
local found = redis.call('HMGET', KEYS[1], 'epoch', 'server')
if not found[1] or found[2] ~= server then
  redis.call('DEL', KEYS[3])
  local seq = 0
  local fields = redis.call('HKEYS', KEYS[2])
  for _, field in ipairs(fields) do
    local body = redis.call('HGET', KEYS[2], field)
    seq = seq + 1
    redis.call('HSET', KEYS[2], field, seq .. string.sub(body, (string.find(body, '|', 1, true))))
  end
  redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'seq', seq, 'server', server)
end
redis.call('HINCRBY', KEYS[1], 'fence', 1)
found = redis.call('HMGET', KEYS[1], 'fence', 'epoch', 'seq')
return {found[1], found[2], found[3], server}
"""
)

# ARGV: a name for a new epoch, the fence of whoever claimed last. What is there cannot be read, as
# another version's: all is to be told anew. Answers 1, or 0 if somebody else has claimed since.
ANEW = """
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[2] then
  return 0
end
redis.call('DEL', KEYS[2], KEYS[3])
redis.call('HDEL', KEYS[1], 'checkpoint')
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'seq', 0)
return 1
"""

# KEYS: meta alone. Answers epoch, number and the server's run id.
LOOK = (
    _SERVER
    + """
local found = redis.call('HMGET', KEYS[1], 'epoch', 'seq')
return {found[1], found[2], server}
"""
)

# ARGV: channel. Who listens is told to look.
DROP = """
redis.call('DEL', unpack(KEYS))
redis.call('SPUBLISH', ARGV[1], '')
"""

# ARGV: fence, epoch, last number, length of the log, channel, message, checkpoint, then field,
# frame and '1' if it is gone, for each fact. A checkpoint is '' if the one before stays, '-' if
# there is none any more. Answers 1, or 0 if the feed is not the writer's any more.
APPEND = """
local found = redis.call('HMGET', KEYS[1], 'fence', 'epoch', 'seq')
if found[1] ~= ARGV[1] or found[2] ~= ARGV[2] or found[3] ~= ARGV[3] then
  return 0
end
local seq = tonumber(ARGV[3])
for at = 8, #ARGV, 3 do
  seq = seq + 1
  if ARGV[at + 2] == '1' then
    redis.call('HDEL', KEYS[2], ARGV[at])
  else
    redis.call('HSET', KEYS[2], ARGV[at], seq .. '|' .. ARGV[at + 1])
  end
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[4], '0-' .. seq, 'f', ARGV[at], 'b', ARGV[at + 1])
end
redis.call('HSET', KEYS[1], 'seq', seq)
if ARGV[7] == '-' then
  redis.call('HDEL', KEYS[1], 'checkpoint')
elseif ARGV[7] ~= '' then
  redis.call('HSET', KEYS[1], 'checkpoint', ARGV[7])
end
redis.call('SPUBLISH', ARGV[5], ARGV[6])
return 1
"""

# What follows is about leases. Time is the server's: those of workers differ. A lease that lapsed
# is nobody's, though whoever had it may write until another takes it, and may take it again.
_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

# KEYS: the workers. ARGV: a worker, ms of silence after which one is dead. Answers who lives.
JOIN = (
    _NOW
    + """
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
return redis.call('ZRANGE', KEYS[1], 0, -1)
"""
)

# KEYS: meta, state and log of one spoke. ARGV: a worker, '1' if it wants the lease or '0', ms that
# it lasts. Answers who holds it, and how much is known of the spoke. From the moment on in which it
# is another's, whoever had it cannot write.
HOLD = (
    _NOW
    + """
local found = redis.call('HMGET', KEYS[1], 'holder', 'until')
local holder = found[1] or ''
if tonumber(found[2] or '0') <= now then
  holder = ''
end
if ARGV[2] == '1' and (holder == '' or holder == ARGV[1]) then
  if found[1] ~= ARGV[1] then
    redis.call('HINCRBY', KEYS[1], 'fence', 1)
  end
  holder = ARGV[1]
  redis.call('HSET', KEYS[1], 'holder', holder, 'until', now + ARGV[3])
end
return {holder, redis.call('HLEN', KEYS[2])}
"""
)

# KEYS: as before. ARGV: a worker, which does not write any more.
RELEASE = """
if redis.call('HGET', KEYS[1], 'holder') == ARGV[1] then
  redis.call('HSET', KEYS[1], 'holder', '', 'until', 0)
  redis.call('HINCRBY', KEYS[1], 'fence', 1)
end
"""
