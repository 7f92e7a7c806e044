-- wrk: GETs the paths of a file in random order. Arguments: a seed, the file. The API key is in BENCH_KEY.
local requests = {}

function init(args)
  math.randomseed(tonumber(args[1]))
  local headers = { authorization = 'Bearer ' .. os.getenv('BENCH_KEY') }
  for path in io.lines(args[2]) do requests[#requests + 1] = wrk.format('GET', path, headers) end
end

function request()
  return requests[math.random(#requests)]
end

dofile((os.getenv('BENCH_FOLDER')) .. '/summary.lua')
