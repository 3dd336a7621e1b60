// A client for oscsynth. Everything it sends is in docs/osc.md; its help file says how to play it.
Oscsynth {
	classvar <>defaultHost = "127.0.0.1", <>defaultPort = 57140, <>default;
	var <addr, <part, <>latency = 0.2, noteCount = 0;

	*initClass {
		Class.initClassTree(Event);
		// Another port, for somebody who starts it so: oscsynth serve --port 57200
		"OSCSYNTH_PORT".getenv !? { |port| defaultPort = port.asInteger };
		Event.addEventType(\oscsynth, { (~oscsynth ?? { Oscsynth.default ?? { Oscsynth.new } }).playEvent(currentEnvironment) });
	}

	*new { |host, port, part = 1|
		^super.newCopyArgs(NetAddr(host ? defaultHost, port ? defaultPort), part).init
	}

	init { default = default ? this }

	// ---- messages: what comes below /oscsynth/, and values

	address { |below|
		^(if(part == 1) { "/oscsynth/" } { "/oscsynth/part/%/".format(part) } ++ below).asSymbol
	}

	send { |below ... values|
		addr.sendMsg(this.address(below), *values)
	}

	// Several in one instant, `latency` from now; each is an array such as ["latent/1", 0.7].
	sendBundle { |messages, seconds|
		addr.sendBundle(seconds ? latency, *messages.collect { |message| [this.address(message[0])] ++ message.drop(1) })
	}

	// Ask for a value; the function is called with what comes back.
	ask { |below, function|
		OSCFunc({ |message| function.value(*message.drop(1)) }, this.address(below), addr).oneShot;
		this.send(below)
	}

	// Call a function with the address and the values of whatever changes, until you free what this returns.
	listen { |function|
		var heard = { |message, time, from|
			if(message[0].asString.beginsWith("/oscsynth/") and: { from.port == addr.port }) { function.value(*message) }
		};
		var stay = Routine { loop { addr.sendMsg("/oscsynth/notify", 1); 20.wait } };
		thisProcess.addOSCRecvFunc(heard);
		stay.play(SystemClock);
		^Oscsynth.leave { stay.stop; addr.sendMsg("/oscsynth/notify", 0); thisProcess.removeOSCRecvFunc(heard) }
	}

	*leave { |function| ^(free: { function.value }) }

	// ---- the same by name

	patch { |name| this.send("patch", name) }
	// Not `next`: a pattern would call that.
	nextPatch { this.send("patch/next", 1) }
	latent { |which, value| this.send("latent/" ++ which, value) }
	latents { |values| this.send("latents", *values) }
	chroma { |name| this.send("chroma/name", name) }
	point { |name, seconds| this.sendBundle([["point/seconds", seconds ? 0], ["point", name]], 0) }
	gain { |db| this.send("gain", db) }
	gate { |isOpen = true| this.send("gate", isOpen.asBoolean.binaryValue) }
	panic { addr.sendMsg("/oscsynth/panic", 1) }

	// ---- patterns: Pbind(\type, \oscsynth, \degree, ..., \latents, [[...]])

	playEvent { |event|
		event.use {
			var notes = ~midinote.value.asArray.collect { |note| note + (~ctranspose.value ? 0) };
			var messages = this.prNoteMessages(notes);
			var mine = (noteCount = noteCount + 1);
			~latents !? { |values| messages = messages.add(["latents"] ++ values.flat) };
			~gainDb !? { |db| messages = messages.add(["gain", db]) };
			~point !? { |name| messages = messages.add(["point", name]) };
			this.sendBundle(messages.add(["gate", 1]));
			thisThread.clock.sched(~sustain.value, {
				// A newer note keeps the gate open.
				if(mine == noteCount) { this.sendBundle([["gate", 0]]) };
				nil
			})
		}
	}

	// One note is a class and an octave; a chord is a weight for each class.
	prNoteMessages { |notes|
		var whole = notes.collect { |note| note.round.asInteger };
		var register = ["register", whole[0].div(12) - 1];
		if(whole.size == 1) { ^[["chroma/index", whole[0] % 12], register] };
		^[["chroma"] ++ (0..11).collect { |class| whole.count { |note| note % 12 == class }.asFloat }, register]
	}
}
